// The group ledger in memory: one state that any number of group nodes share, with failures that tests order. Like the real one it
// takes a record once, refuses versions that have ended, and keeps what is not done for whoever asks.

import type { Decided, FanOut, GroupLedgerPort } from '../src/node/replication/group-ledger-port.ts'
import type { Clock } from '../src/platform/ports.ts'
import { toMapKey } from '../src/protocol/bytes.ts'
import { ChatError } from '../src/protocol/errors.ts'
import { openRecord, recordKey } from '../src/protocol/records.ts'

interface Kept extends FanOut {
  keptAt: number
  isDone: boolean
}
type Method = keyof GroupLedgerPort

export class MemoryLedgerState {
  readonly names = new Map<string, string>()
  readonly versions = new Map<string, Uint8Array[]>()
  readonly kept = new Map<string, Kept>()
  /** Called before each method: throws in its place, or does something meanwhile. */
  before: (method: Method) => void = () => {}
  /** Called once a method has done its work: throws what the caller sees of it. */
  after: (method: Method) => void = () => {}

  get open(): FanOut[] {
    return [...this.kept.values()].filter(({ isDone }) => !isDone)
  }
}

const keyOf = (sealed: Uint8Array): string => toMapKey(recordKey(openRecord(sealed).header.id, sealed))

export class MemoryGroupLedger implements GroupLedgerPort {
  readonly #state: MemoryLedgerState
  readonly #clock: Clock

  constructor(state: MemoryLedgerState, clock: Clock) {
    this.#state = state
    this.#clock = clock
  }

  claimName(name: string, group: string): Promise<string> {
    return this.#run('claimName', () => {
      const { names } = this.#state
      if (!names.has(name)) names.set(name, group)
      return names.get(name) ?? group
    })
  }
  lookUpName(name: string): Promise<string | undefined> {
    return this.#run('lookUpName', () => this.#state.names.get(name))
  }
  newest(group: string): Promise<Decided | undefined> {
    return this.#run('newest', () => {
      const decided = this.#decided(group)
      const sealed = decided.at(-1)
      return sealed && { version: decided.length, sealed }
    })
  }
  at(group: string, version: number): Promise<Uint8Array | undefined> {
    return this.#run('at', () => this.#decided(group)[version - 1])
  }
  propose(group: string, version: number, sealed: Uint8Array): Promise<Uint8Array> {
    return this.#run('propose', () => {
      const decided = this.#decided(group)
      if (decided.length === version - 1) this.#state.versions.set(group, [...decided, sealed])
      return this.#decided(group)[version - 1] ?? sealed
    })
  }
  fanOut(item: FanOut): Promise<{ version: number }> {
    return this.#run('fanOut', () => {
      const { kept } = this.#state
      const known = kept.get(keyOf(item.sealed))
      if (known) return { version: known.version }
      if (item.version !== this.#decided(item.group).length) throw new ChatError('GROUP_SEALED')
      kept.set(keyOf(item.sealed), { ...item, keptAt: this.#clock.now(), isDone: false })
      return { version: item.version }
    })
  }
  done(_group: string, _version: number, keys: Uint8Array[]): void {
    void this.#run('done', () => {
      for (const key of keys) {
        const known = this.#state.kept.get(toMapKey(key))
        if (known) known.isDone = true
      }
    }).catch(() => {})
  }
  unfinished(olderThanMs: number): Promise<FanOut[]> {
    return this.#run('unfinished', () => {
      const before = this.#clock.now() - olderThanMs
      return [...this.#state.kept.values()].filter(({ isDone, keptAt }) => !isDone && keptAt <= before)
    })
  }
  settle({ sealed, version }: FanOut): Promise<'durable' | 'void'> {
    return this.#run('settle', () => (this.#state.kept.get(keyOf(sealed))?.version === version ? 'durable' : 'void'))
  }

  #decided(group: string): Uint8Array[] {
    return this.#state.versions.get(group) ?? []
  }

  async #run<T>(method: Method, work: () => T): Promise<T> {
    await Promise.resolve()
    this.#state.before(method)
    const result = work()
    this.#state.after(method)
    return result
  }
}
