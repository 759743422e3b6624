// Finishes what other nodes began: records that the homes of a group took and that are not in every mailbox yet.
// Each group node sees to the groups that rendezvous hashing gives it; two at once are harmless.
import { mutant } from '../../platform/mutants.ts'
import type { Logger } from '../../platform/ports.ts'
import { asChatError } from '../../protocol/errors.ts'
import type { ClusterView, PeerTransport } from '../core/ports.ts'
import type { FanOut, GroupLedgerPort } from '../replication/group-ledger-port.ts'
import { groupNodesFor } from '../replication/group-nodes.ts'
import type { Copies } from './copies.ts'
import type { Versions } from './versions.ts'

export interface FinisherPorts {
  transport: PeerTransport
  view: ClusterView
  ledger: GroupLedgerPort
  versions: Versions
  copies: Copies
  log: Logger
}

/** Younger ones are most likely under way at the node that took them. */
const OLDER_THAN_MS = 2_000
/** Finished at once; the rest waits for the next turn. */
const AT_ONCE = 16

export class Finisher {
  readonly #ports: FinisherPorts

  constructor(ports: FinisherPorts) {
    this.#ports = ports
  }

  /** One look at all that is open; resolves when it was tried. */
  async turn(signal: AbortSignal): Promise<void> {
    if (mutant('fan-out-unfinished')) return
    const { copies, ledger } = this.#ports
    const open = await ledger.unfinished(OLDER_THAN_MS)
    const mine = open.filter((item) => this.#isMine(item) && !copies.isUnderWay(item))
    for (let at = 0; at < mine.length && !signal.aborted; at += AT_ONCE) {
      await Promise.all(mine.slice(at, at + AT_ONCE).map((item) => this.#finish(item)))
    }
  }

  #isMine({ group }: FanOut): boolean {
    const { transport, view } = this.#ports
    const [first] = groupNodesFor(view.current().map, group, (peer) => transport.isConnected(peer))
    return first === transport.self
  }

  async #finish(item: FanOut): Promise<void> {
    const { ledger, versions, copies, log } = this.#ports
    try {
      if ((await ledger.settle(item)) === 'void') return
      await copies.bring(item, await versions.mailboxesOf(item))
    } catch (error) {
      log.debug({ group: item.group, error: asChatError(error).message }, 'a record of a group cannot be finished yet')
    }
  }
}
