// Messages to groups, brought to W homes under one version, or found to have been taken at another; and what is left of them after a
// coordinator died. Which version took a message is a fact that everybody finds out alike: it is open there while the version lasts,
// and on the version's list of open ones afterwards.
import { toMapKey } from '../../protocol/bytes.ts'
import { ChatError, type ErrorCode, hasCode } from '../../protocol/errors.ts'
import { groupMailbox } from '../../protocol/names.ts'
import { keyOfRecord, openRecord } from '../../protocol/records.ts'
import {
  type FanOutAnswer,
  type FanOutMode,
  ledgerDone,
  ledgerFanOut,
  ledgerOpen,
  type OpenFanOut,
  type RequestOf,
} from '../../protocol/rpc.ts'
import { isEnough, keepersOf, poll } from './electorate.ts'
import type { FanOut } from './group-ledger-port.ts'
import type { HomePorts } from './home-calls.ts'
import type { LedgerCalls } from './ledger-calls.ts'
import { homesOf } from './placement.ts'
import { isFault } from './write-attempt.ts'

/** How far back a message may have been tried: an author who was away longer than so many changes tries as if for the first time. */
const MAX_VERSIONS_BACK = 64
/** The request never left, or was turned away at the door. */
const UNSENT: readonly ErrorCode[] = [
  'PEER_UNREACHABLE',
  'PEER_OVERLOADED',
  'PEER_DENIED',
  'GROUP_SEALED',
  'STORE_SYNCING',
  'EPOCH_STALE',
  'EPOCH_AHEAD',
]

/** Record keys (as map keys) that were open at a version when the next took its place. */
type OpenAt = (group: string, version: number) => Promise<ReadonlySet<string>>

interface Taken {
  version: number
  isDone: boolean
}
/** It was not brought to W homes: why, at which other version some home has it, and whether some home may have it at this one. */
interface Outcome {
  errors: ChatError[]
  other: number | undefined
  isOut: boolean
}

export class FanOuts {
  readonly #ports: HomePorts
  readonly #calls: LedgerCalls
  readonly #openAt: OpenAt

  constructor(ports: HomePorts, calls: LedgerCalls, openAt: OpenAt) {
    this.#ports = ports
    this.#calls = calls
    this.#openAt = openAt
  }

  /** As GroupLedgerPort.fanOut. */
  async take(item: FanOut): Promise<{ version: number }> {
    const { header } = openRecord(item.sealed)
    const oldest = header.k === 'msg' && header.gv !== undefined ? header.gv : item.version
    for (let version = item.version - 1; version >= oldest; version--) {
      if (item.version - version > MAX_VERSIONS_BACK) break
      if (await this.#wasTaken(item, version)) return this.#put({ ...item, version }, 'settled')
    }
    return this.#put(item, 'new')
  }

  /** `item` of a version that has ended. */
  async settle(item: FanOut): Promise<'durable' | 'void'> {
    if (await this.#wasTaken(item, item.version)) {
      await this.#put(item, 'settled')
      return 'durable'
    }
    // Done before the version ended, and this home has not heard of it: what is done is on no list.
    const outcome = await this.#try(item, 'look')
    if ('version' in outcome && outcome.isDone && outcome.version === item.version) return 'durable'
    this.#tell(item.group, { keys: keyOfRecord(item.sealed), version: item.version, isVoid: true })
    return 'void'
  }

  done(group: string, version: number, keys: Uint8Array[]): void {
    this.#tell(group, { keys: Buffer.concat(keys), version, isVoid: false })
  }

  async unfinished(olderThanMs: number): Promise<FanOut[]> {
    const { homes } = this.#ports.view.current().map
    const peers = [...new Set([...homes.current.peers, ...(homes.next?.peers ?? [])])]
    const asked = peers.filter((peer) => this.#ports.transport.isConnected(peer))
    const answers = await Promise.allSettled(
      asked.map((peer) => this.#ports.transport.call(peer, ledgerOpen, { olderThanMs })),
    )
    const items = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value.items : []))
    const found = new Map<string, OpenFanOut>()
    for (const item of items.filter((one) => this.#isSound(one))) {
      const key = `${item.group} ${toMapKey(keyOfRecord(item.sealed))}`
      const known = found.get(key)
      if (!known || item.version < known.version) found.set(key, item)
    }
    return [...found.values()]
  }

  /** What is no record to that group is nothing to finish, and must not keep others from being finished. */
  #isSound({ group, sealed }: OpenFanOut): boolean {
    try {
      if (openRecord(sealed).group === group) return true
    } catch (error) {
      if (!(error instanceof ChatError)) throw error
    }
    this.#ports.log.warn({ group }, 'a home names as on its way what is no record to that group; check its disk')
    return false
  }

  async #wasTaken(item: FanOut, version: number): Promise<boolean> {
    return (await this.#openAt(item.group, version)).has(toMapKey(keyOfRecord(item.sealed)))
  }

  async #put(item: FanOut, mode: FanOutMode): Promise<{ version: number }> {
    let last: Outcome = { errors: [], other: undefined, isOut: false }
    const taken = await this.#calls.retrying(async () => {
      const outcome = await this.#try(item, mode)
      if ('version' in outcome) return outcome
      last = { ...outcome, isOut: last.isOut || outcome.isOut }
      const isArgument = last.errors.some((error) => hasCode(error, 'EPOCH_STALE', 'EPOCH_AHEAD'))
      return isArgument ? undefined : outcome
    })
    if (taken && 'version' in taken) return { version: taken.version }
    const { errors, other, isOut } = last
    if (other !== undefined && mode === 'new') return this.#elsewhere(item, other)
    if (errors.some((error) => hasCode(error, 'GROUP_SEALED'))) throw new ChatError('GROUP_SEALED')
    if (isOut) throw new ChatError('OUTCOME_UNKNOWN')
    const fault = errors.find(isFault)
    if (fault) throw fault
    const isFull = errors.some((error) => hasCode(error, 'PEER_OVERLOADED'))
    throw new ChatError(isFull ? 'PEER_OVERLOADED' : 'QUORUM_UNAVAILABLE')
  }

  async #try(item: FanOut, mode: FanOutMode): Promise<Taken | Outcome> {
    const { group, version, sealed, acceptedAt } = item
    const keepers = keepersOf(this.#ports.view.current().map, groupMailbox(group))
    const { epoch } = keepers
    const isAvailable = isEnough(keepers, (peer) => this.#ports.transport.isConnected(peer))
    if (!isAvailable) return { errors: [], other: undefined, isOut: false }
    const { answers, errors } = await poll(keepers, {
      ask: (peer) => this.#calls.ask(peer, ledgerFanOut, { epoch, group, version, sealed, acceptedAt, mode }),
      counts: (answer) => answer.version === version,
      settles: ({ isDone }) => isDone,
      isPatient: true,
    })
    const all = [...answers.values()]
    const done = all.find(({ isDone }) => isDone)
    if (done) {
      if (done.version !== version) this.done(group, done.version, [keyOfRecord(item.sealed)]) // some home may have taken it just now
      return done
    }
    const isKept = (peer: string): boolean => answers.get(peer)?.version === version && !isOutlived(peer, answers)
    if (isEnough(keepers, isKept)) return { version, isDone: false }
    const failed = [...errors.values()]
    const isOut =
      all.some((answer) => answer.version === version) ||
      failed.some((error) => !hasCode(error, ...UNSENT) && !isFault(error))
    // 0 is nowhere: an answer of nothing, unless it was only asked to look.
    const other = all.find((answer) => answer.version !== version && answer.version > 0)?.version
    return { errors: failed, other, isOut }
  }

  /** Some home has it at another version: was it taken there, or only left over? */
  async #elsewhere(item: FanOut, version: number): Promise<{ version: number }> {
    if (version > item.version) throw new ChatError('GROUP_SEALED')
    if (await this.#wasTaken(item, version)) return this.#put({ ...item, version }, 'settled')
    return this.#put(item, 'replace')
  }

  /** To all homes, as far as they hear it. */
  #tell(group: string, about: Omit<RequestOf<typeof ledgerDone>, 'group'>): void {
    const { all } = homesOf(this.#ports.view.current().map, groupMailbox(group))
    for (const peer of all) this.#ports.transport.notify(peer, ledgerDone, { group, ...about })
  }
}

/** Another home knows that this one lost its state after it had answered. */
const isOutlived = (peer: string, answers: ReadonlyMap<string, FanOutAnswer>): boolean => {
  const feed = answers.get(peer)?.feed
  return [...answers.values()].some(({ peers }) => peers.some(([other, newer]) => other === peer && newer !== feed))
}
