// Drives changes of the homes through joint epochs (architecture.md section 4): stores that joined become homes, stores that
// are to leave stop being ones. One change at a time. It becomes final only when every home of the next set says that it has
// reconciled at the joint epoch; one that does not get there is cancelled back to the old set, which is always safe.
import type { Clock, Logger } from '../../platform/ports.ts'
import { mutant } from '../../platform/mutants.ts'
import { repeat } from '../../platform/timing.ts'
import { type ClusterMap, homeSet, nodeOf } from '../../protocol/cluster-map.ts'
import { asChatError } from '../../protocol/errors.ts'
import { type StoreState, storeState } from '../../protocol/rpc.ts'
import type { ClusterView, PeerTransport } from '../core/ports.ts'
import type { MapWriter } from './map-writer.ts'
import type { AuthTables } from './tables.ts'

const TURN_MS = 300
const CANCEL_MS = 60_000
/** After a cancelled change, before the same stores are tried again. */
const RETRY_MS = 30_000

export interface HomeChangesPorts {
  transport: PeerTransport
  view: ClusterView
  clock: Clock
  log: Logger
  tables: AuthTables
  writer: MapWriter
}

const isStore = (map: ClusterMap, peer: string): boolean =>
  nodeOf(map, peer)?.roles.some((role) => role === 'store' || role === 'messages') === true
const isSame = (a: string[], b: string[]): boolean => [...a].sort().join() === [...b].sort().join()

export class HomeChanges {
  readonly #ports: HomeChangesPorts
  /** When this process began to watch the joint epoch under way, by the monotonic clock. */
  #jointSince: number | undefined
  #retryAt = 0

  constructor(ports: HomeChangesPorts) {
    this.#ports = ports
  }

  /** `mayAct` is asked before each turn. */
  start(signal: AbortSignal, mayAct: () => boolean): void {
    const { clock, log } = this.#ports
    const onError = (error: Error): void => log.warn({ error: error.message }, 'a change of the homes has to wait')
    void repeat({ clock, everyMs: TURN_MS, signal, onError }, async () => {
      if (mayAct()) await this.turn()
    })
  }

  /** Takes the next step if there is one. Public for tests. */
  async turn(): Promise<void> {
    const { map } = this.#ports.view.current()
    if (map.homes.next) await this.#finish(map, map.homes.next.peers)
    else await this.#begin(map)
  }

  async #begin(map: ClusterMap): Promise<void> {
    const { clock, tables, writer, log } = this.#ports
    this.#jointSince = undefined
    await this.#removeThoseThatLeft(map)
    if (clock.monotonic() < this.#retryAt) return
    const wanted = await this.#wanted(map)
    if (wanted.length === 0 || isSame(wanted, map.homes.current.peers)) return
    // One that a crash left behind would let the coming change become final too early.
    if (tables.authority().jointEpoch !== undefined) await tables.write(tables.putAuthority({ jointEpoch: undefined }))
    const next = await writer.change((newest) => {
      if (!wanted.every((peer) => isStore(newest, peer))) return undefined // one was removed meanwhile
      if (newest.homes.next || !isSame(newest.homes.current.peers, map.homes.current.peers)) return undefined
      if (newest.homes.current.peers.length === 0) return { ...newest, homes: { current: homeSet(wanted) } }
      return { ...newest, homes: { current: newest.homes.current, next: homeSet(wanted) } }
    })
    if (!next.map.homes.next) return
    await tables.write(tables.putAuthority({ jointEpoch: next.map.epoch }))
    log.info({ from: map.homes.current.peers, to: wanted, epoch: next.map.epoch }, 'a change of the homes began')
  }

  /** Present homes stay until told to leave, whatever their state; new ones come in once they answer. */
  async #wanted(map: ClusterMap): Promise<string[]> {
    const { leaving } = this.#ports.tables.authority()
    const staying = map.homes.current.peers.filter((peer) => isStore(map, peer) && !leaving.includes(peer))
    const candidates = map.nodes
      .map((node) => node.peer)
      .filter((peer) => isStore(map, peer) && !leaving.includes(peer) && !staying.includes(peer))
    const states = await Promise.all(candidates.map((peer) => this.#stateOf(peer, map.epoch)))
    const ready = candidates.filter((_, index) => states[index] !== undefined && states[index].state !== 'read-only')
    return [...staying, ...ready]
  }

  async #finish(map: ClusterMap, next: string[]): Promise<void> {
    const { clock, tables, log } = this.#ports
    const { jointEpoch } = tables.authority()
    const now = clock.monotonic()
    this.#jointSince ??= now
    if (jointEpoch === undefined) {
      // Nothing can be proven about a joint epoch whose beginning is not known: an authority that was moved, or a crash.
      await this.#cancel(map, 0)
    } else if (await this.#hasReconciled(next, { jointEpoch, epoch: map.epoch })) {
      await this.#publishHomes(next)
      log.info({ homes: next }, 'a change of the homes is final')
    } else if (now - this.#jointSince > CANCEL_MS) {
      await this.#cancel(map, RETRY_MS)
    } else return
    await tables.write(tables.putAuthority({ jointEpoch: undefined }))
  }

  async #hasReconciled(next: string[], { jointEpoch, epoch }: { jointEpoch: number; epoch: number }): Promise<boolean> {
    const states = await Promise.all(next.map((peer) => this.#stateOf(peer, epoch)))
    return (
      states.every((state) => state !== undefined && state.reconciled >= jointEpoch) ||
      mutant('final-before-reconciled')
    )
  }

  async #cancel(map: ClusterMap, retryInMs: number): Promise<void> {
    const { clock, log } = this.#ports
    await this.#publishHomes(map.homes.current.peers)
    this.#retryAt = clock.monotonic() + retryInMs
    log.warn({ homes: map.homes.current.peers, given: map.homes.next?.peers }, 'a change of the homes was cancelled')
  }

  async #publishHomes(peers: string[]): Promise<void> {
    await this.#ports.writer.change((map) =>
      map.homes.next ? { ...map, homes: { current: homeSet(peers) } } : undefined,
    )
  }

  async #removeThoseThatLeft(map: ClusterMap): Promise<void> {
    const { tables, writer } = this.#ports
    const { leaving } = tables.authority()
    const gone = leaving.filter((peer) => !map.homes.current.peers.includes(peer))
    if (gone.length === 0) return
    await tables.forgetTicketsOf(gone)
    await writer.change((newest) =>
      newest.nodes.some((node) => gone.includes(node.peer))
        ? { ...newest, nodes: newest.nodes.filter((node) => !gone.includes(node.peer)) }
        : undefined,
    )
    await tables.write(
      tables.putAuthority({ leaving: tables.authority().leaving.filter((peer) => !gone.includes(peer)) }),
    )
  }

  /** undefined when it does not answer now. */
  async #stateOf(peer: string, epoch: number): Promise<StoreState | undefined> {
    const { transport, log } = this.#ports
    if (!transport.isConnected(peer)) return undefined
    try {
      return await transport.call(peer, storeState, { epoch })
    } catch (error) {
      log.debug({ peer, error: asChatError(error).message }, 'a store does not say its state')
      return undefined
    }
  }
}
