// Requests that wait for their answers, with deadlines: one sweep over time slots instead of a timer for each.
// Knows nothing of frames or peers.
import { ChatError } from '../../protocol/errors.ts'

/** A deadline is kept to within one slot and the time between two sweeps. */
const SLOT_MS = 50

interface Pending {
  /** Forgotten with the answer: V8 keeps the tables that a map outgrew, each with what was in it then, until it looks at everything. */
  promise?: { resolve: (value: unknown) => void; reject: (error: ChatError) => void }
  /** 0 until it was sent. */
  bytes: number
}

export class PendingCalls {
  readonly #pending = new Map<number, Pending>()
  readonly #slots = new Map<number, number[]>()
  #nextSlot = 0
  #lastId = 0
  /** Of the requests that were sent and wait. */
  bytes = 0

  /** False when nobody waits for the answer any more: it need not be sent. */
  markSent(id: number, bytes: number): boolean {
    const pending = this.#pending.get(id)
    if (!pending) return false
    pending.bytes = bytes
    this.bytes += bytes
    return true
  }

  /** Adds a request; `settle` or `fail` with its id end it, or the sweep after `deadline` (monotonic ms) with NET_TIMEOUT. */
  open(deadline: number): { id: number; answer: Promise<unknown> } {
    const id = this.#freeId()
    const answer = new Promise((resolve, reject) => this.#pending.set(id, { promise: { resolve, reject }, bytes: 0 }))
    this.#schedule(id, deadline)
    return { id, answer }
  }

  /** An answer to nothing (it came after its deadline) is ignored. */
  settle(id: number, value: unknown): void {
    this.#take(id)?.resolve(value)
  }

  fail(id: number, error: ChatError): void {
    this.#take(id)?.reject(error)
  }

  failAll(makeError: () => ChatError): void {
    for (const id of [...this.#pending.keys()]) this.fail(id, makeError())
    this.#slots.clear()
  }

  sweep(now: number): void {
    const last = Math.floor(now / SLOT_MS)
    if (this.#slots.size === 0) this.#nextSlot = last
    for (; this.#nextSlot <= last && this.#slots.size > 0; this.#nextSlot++) {
      const due = this.#slots.get(this.#nextSlot)
      if (!due) continue
      this.#slots.delete(this.#nextSlot)
      for (const id of due) this.fail(id, new ChatError('NET_TIMEOUT'))
    }
  }

  #take(id: number): Pending['promise'] {
    const pending = this.#pending.get(id)
    if (!pending) return undefined
    this.#pending.delete(id)
    this.bytes -= pending.bytes
    const { promise } = pending
    delete pending.promise
    return promise
  }

  #schedule(id: number, deadline: number): void {
    const slot = Math.max(Math.ceil(deadline / SLOT_MS), this.#nextSlot)
    const ids = this.#slots.get(slot)
    if (ids) ids.push(id)
    else this.#slots.set(slot, [id])
  }

  /** 32 bits, from 1; after a wrap the ids still in use are passed over. */
  #freeId(): number {
    do this.#lastId = this.#lastId === 0xffffffff ? 1 : this.#lastId + 1
    while (this.#pending.has(this.#lastId))
    return this.#lastId
  }
}
