// What waits in the outbox, lane by lane and in order, with its copy on disk. Knows nothing of sending but when to try again.
import type { Clock, RandomSource } from '../platform/ports.ts'
import { keys, ranges } from './keys.ts'
import type { LocalStore } from './local-store.ts'
import { decodeEntry, encodeEntry, type OutboxEntry } from './outbox-entry.ts'

const FIRST_RETRY_MS = 100
const LONGEST_RETRY_MS = 5_000

export interface Lane {
  readonly entries: OutboxEntry[]
  /** In a row. */
  failures: number
  /** Nothing leaves while a timer runs. */
  cancelRetry: (() => void) | undefined
}

export class OutboxLanes {
  readonly #store: LocalStore
  readonly #lanes = new Map<string, Lane>()
  readonly #byId = new Map<string, OutboxEntry>()

  constructor(store: LocalStore) {
    this.#store = store
  }

  /** Everything on disk, in order; it still has to be inserted. */
  async read(): Promise<OutboxEntry[]> {
    return (await this.#store.range(ranges.outbox())).map(([, value]) => decodeEntry(value))
  }

  all(): Lane[] {
    return [...this.#lanes.values()]
  }

  lane(name: string): Lane | undefined {
    return this.#lanes.get(name)
  }

  /** Nothing of the lane leaves for a while, longer after each failure in a row; then `again`. */
  retryLater(name: string, { clock, random }: { clock: Clock; random: RandomSource }, again: () => void): void {
    const lane = this.lane(name)
    if (!lane || lane.cancelRetry) return
    const bound = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(lane.failures, 10))
    lane.failures += 1
    // Between half and all of the bound: many clients, one store that returns.
    lane.cancelRetry = clock.after(bound * (0.5 + random.float() / 2), () => {
      lane.cancelRetry = undefined
      again()
    })
  }

  get(id: string): OutboxEntry | undefined {
    return this.#byId.get(id)
  }

  has(entry: OutboxEntry): boolean {
    return this.#byId.get(entry.id) === entry
  }

  /** A message that has not left yet. */
  draft(id: string): OutboxEntry | undefined {
    const entry = this.#byId.get(id)
    return entry && isDraft(entry) ? entry : undefined
  }

  messages(): OutboxEntry[] {
    return [...this.#byId.values()].filter(({ kind }) => kind === 'msg')
  }

  drafts(lane: string): OutboxEntry[] {
    return this.#lanes.get(lane)?.entries.filter(isDraft) ?? []
  }

  /** How many wait to be stored. */
  get size(): number {
    let count = 0
    for (const { isParked } of this.#byId.values()) count += isParked ? 0 : 1
    return count
  }

  /** For what has no number of its own. */
  nextPlace(lane: string): number {
    return (this.#lanes.get(lane)?.entries.at(-1)?.place ?? 0) + 1
  }

  insert(entry: OutboxEntry): void {
    const lane = this.#lanes.get(entry.lane) ?? { entries: [], failures: 0, cancelRetry: undefined }
    this.#lanes.set(entry.lane, lane)
    lane.entries.push(entry)
    this.#byId.set(entry.id, entry)
  }

  save(entry: OutboxEntry): void {
    this.#store.put(keys.outbox(entry.lane, entry.place), encodeEntry(entry))
  }

  remove(entry: OutboxEntry): void {
    const lane = this.#lanes.get(entry.lane)
    this.#byId.delete(entry.id)
    if (!lane) return
    const index = lane.entries.indexOf(entry)
    if (index >= 0) lane.entries.splice(index, 1)
    this.#store.put(keys.outbox(entry.lane, entry.place), undefined)
    if (lane.entries.length === 0 && !lane.cancelRetry) this.#lanes.delete(entry.lane)
  }

  /** Nothing comes after it but voids that are still here: no number after it can be in the cluster. `nextSeq`: of the conversation. */
  isLast(entry: OutboxEntry, nextSeq: number): boolean {
    const entries = this.#lanes.get(entry.lane)?.entries ?? []
    const after = entries.slice(entries.indexOf(entry) + 1)
    return after.length === nextSeq - 1 - entry.place && after.every(({ kind }) => kind === 'void')
  }

  /** Another entry in its place. */
  replace(entry: OutboxEntry, substitute: OutboxEntry): void {
    const entries = this.#lanes.get(entry.lane)?.entries ?? []
    entries[entries.indexOf(entry)] = substitute
    this.#byId.delete(entry.id)
    this.#byId.set(substitute.id, substitute)
    this.save(substitute)
  }

  /** The same entry under another id. */
  rename(entry: OutboxEntry, id: string): void {
    this.#byId.delete(entry.id)
    entry.id = id
    this.#byId.set(id, entry)
  }
}

const isDraft = ({ kind, isSealed }: OutboxEntry): boolean => kind === 'msg' && !isSealed
