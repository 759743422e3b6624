// What the processes of one run did and were told, in the order in which it happened. The checker knows nothing else.
export type Told =
  /** A register's value was given to somebody as its value. */
  | { op: 'value'; register: string; value: string }
  /** Nobody has decided the register. */
  | { op: 'none'; register: string }
  /** The newest version of the group, 0 for none. */
  | { op: 'newest'; group: string; version: number }
  /** There is this version, and perhaps a newer one. */
  | { op: 'reached'; group: string; version: number }
  /** The message is durable at this version: its sender may be told so. */
  | { op: 'taken'; message: string; version: number }
  | { op: 'void'; message: string; version: number }
  /** Every member of this version has it. */
  /** Nobody need finish it: somebody said so to all homes. */
  | { op: 'done'; message: string }
  | { op: 'delivered'; message: string; version: number }
export type Begun =
  | { op: 'propose'; register: string; value: string }
  | { op: 'send'; message: string; group: string; known: number }
  | { op: 'read'; register: string }
  | { op: 'ask-newest'; group: string }

export type Entry = { time: number; by: string } & (
  | { kind: 'told' /** When the question was put. */; since: number; told: Told }
  | { kind: 'begun'; begun: Begun }
  | { kind: 'fault'; what: string }
)

export class History {
  readonly entries: Entry[] = []
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  begun(by: string, begun: Begun): number {
    this.entries.push({ time: this.#now(), by, kind: 'begun', begun })
    return this.#now()
  }

  told(by: string, since: number, told: Told): void {
    this.entries.push({ time: this.#now(), by, kind: 'told', since, told })
  }

  fault(what: string): void {
    this.entries.push({ time: this.#now(), by: 'world', kind: 'fault', what })
  }
}

export const formatEntry = (entry: Entry): string => {
  const head = `${entry.time.toFixed(0).padStart(7)} ${entry.by.padEnd(8)}`
  if (entry.kind === 'fault') return `${head} -- ${entry.what}`
  if (entry.kind === 'begun') return `${head} >> ${JSON.stringify(entry.begun)}`
  return `${head} << ${JSON.stringify(entry.told)} (asked ${entry.since.toFixed(0)})`
}
