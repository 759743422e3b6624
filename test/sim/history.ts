// What happened in one run, on one clock: every operation of the clients, every fault, everything shown. The checker reads only this
// and the state at the end. One line of JSON an event, so that equal runs have equal hashes.
import { createHash } from 'node:crypto'
import type { MessageStatus } from '../../src/client/api.ts'
import type { GroupChangeName } from '../../src/protocol/records.ts'

/** invoke = begun, ok = done, fail = refused (no effect, ever), info = unknown, or merely noted. */
type Outcome = 'invoke' | 'ok' | 'fail' | 'info'

interface Happened {
  /** Virtual milliseconds. */
  t: number
  /** Device (`u0/0`), node or `world`. */
  proc: string
  type: Outcome
}
export interface SendEvent extends Happened {
  op: 'send'
  id: string
  user: string
  to: string
  text: string
  code?: string
}
/** Something said about a message: its text replaced, deleted, a reaction. */
export interface ReferEvent extends Happened {
  op: 'refer'
  what: 'edit' | 'delete' | 'react'
  /** Of the message. */
  id: string
  /** Who wrote the message. */
  from: string
  to: string
  /** Who says it. */
  user: string
  text: string
}
/** A change of a group. */
export interface GroupEvent extends Happened {
  op: 'group'
  /** Of the change, and of the version that it becomes. */
  id: string
  user: string
  change: GroupChangeName
  /** Its first name. */
  group: string
  /** Its new one. */
  name?: string
  users: string[]
  code?: string
}
export interface ShowEvent extends Happened {
  op: 'show'
  id: string
  /** Of the device that shows it. */
  user: string
  from: string
  to: string
  text: string
  /** Power cuts of this device so far: each may have taken what was seen but not synced, and shows it again. */
  life: number
}
/** A device says, for the first time or again, that messages of another one lack. */
interface GapEvent extends Happened {
  op: 'gap'
  /** The device whose messages lack, and to whom they were. */
  from: string
  to: string
  /** Its first and last number. */
  range: [first: number, last: number]
  /** Power cuts of the device that says so, so far. */
  life: number
}
interface ReceiptEvent extends Happened {
  op: 'receipt'
  id: string
  user: string
  status: 'received' | 'read'
}
export interface StatusEvent extends Happened {
  op: 'status'
  id: string
  status: MessageStatus
  /** Milliseconds since 1970. */
  storedAt: number | null
  receivedAt: number | null
  readAt: number | null
  /** Power cuts of this device so far. */
  life: number
}
interface ReadEvent extends Happened {
  op: 'read'
  user: string
  conversation: string
  /** Power cuts of this device so far: what was shown before the last one may not be there to be read. */
  life: number
}
/** The device says that it has read its feed to the head: `complete` is what its connection report said, `seen` what it then lists. */
interface SettleEvent extends Happened {
  op: 'settle'
  user: string
  complete: boolean
  seen: string[]
  /** Tells the invocations of one device apart. */
  id: string
}
/** Measured on the disks from outside: on how many homes of each mailbox a message would survive a power cut now. */
interface DurableEvent extends Happened {
  op: 'durable'
  id: string
  because: 'acknowledged' | 'shown'
  found: number
  needed: number
}
/** A device asked for bodies. `known` = record keys whose body it had kept already. */
interface FetchEvent extends Happened {
  op: 'fetch'
  asked: number
  known: string[]
}
/** A gateway said that it refused a record, before any other outcome of the same: was it somewhere when it was sent again, or at the end? */
interface PutEvent extends Happened {
  op: 'put'
  digest: string
  isPresent: boolean
}
/** Somebody fetched the attachment of a message that was shown to him. */
interface DownloadEvent extends Happened {
  op: 'download'
  id: string
  /** `right`, `wrong`, or a code. */
  outcome: string
}
/** Measured on the disks from outside: how many homes keep a blob that somebody was told is safe. */
interface BlobEvent extends Happened {
  op: 'blob'
  blob: string
  because: 'stored' | 'uploaded'
  found: number
  needed: number
}
/** A home threw a whole blob away that was its to keep: the pins it had for it, and whether homes were not changing by its map. */
interface CollectEvent extends Happened {
  op: 'collect'
  blob: string
  pins: number
  /** Ids of the messages whose pins were ended there. */
  ended: string[]
  isFinal: boolean
}
interface FaultEvent extends Happened {
  op: 'fault'
  what: string
}
export type HistoryEvent =
  | SendEvent
  | ReferEvent
  | GroupEvent
  | ShowEvent
  | GapEvent
  | ReceiptEvent
  | StatusEvent
  | ReadEvent
  | SettleEvent
  | DurableEvent
  | FetchEvent
  | PutEvent
  | DownloadEvent
  | BlobEvent
  | CollectEvent
  | FaultEvent

type WithoutTime<E> = E extends HistoryEvent ? Omit<E, 't'> : never

export class History {
  readonly events: HistoryEvent[] = []
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  add(event: WithoutTime<HistoryEvent>): HistoryEvent {
    const added = { t: Math.round(this.#now() * 1000) / 1000, ...event }
    this.events.push(added)
    return added
  }

  of<Op extends HistoryEvent['op']>(op: Op): Extract<HistoryEvent, { op: Op }>[] {
    return this.events.filter((event) => event.op === op) as Extract<HistoryEvent, { op: Op }>[] // filtered by just that
  }

  hash(): string {
    const hash = createHash('sha256')
    for (const event of this.events) hash.update(`${JSON.stringify(event)}\n`)
    return hash.digest('hex').slice(0, 16)
  }
}

/** One line for people: `   12.345 u0/0     send ok  id=… to=u1`. */
export const formatEvent = ({ t, proc, op, type, ...rest }: HistoryEvent): string => {
  const fields = Object.entries(rest).map(
    ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  )
  return `${(t / 1000).toFixed(3).padStart(9)} ${proc.padEnd(10)} ${op.padEnd(7)} ${type.padEnd(6)} ${fields.join(' ')}`
}
