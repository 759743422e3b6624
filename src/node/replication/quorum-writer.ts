// Durable writes: collects what one turn of the loop writes, sends each home one append (in chunks below a peer frame),
// and settles every record as soon as W homes of each of its mailboxes have it on disk. A slow home delays nobody.
// Refused (QUORUM_UNAVAILABLE) only while no home can have it; from then on the only failure is OUTCOME_UNKNOWN.
import { mutant } from '../../platform/mutants.ts'
import { asChatError, ChatError, hasCode } from '../../protocol/errors.ts'
import { limits } from '../../protocol/limits.ts'
import { storeAppend, type StoreMark, type StoreWrite } from '../../protocol/rpc.ts'
import type { HomeCalls, HomePorts } from './home-calls.ts'
import { isFault, type Write, WriteAttempt } from './write-attempt.ts'
import { type WritePlan, WritePlans } from './write-plan.ts'

/** Room for the frame's own fields, and for what else shares the frame. */
const MAX_CHUNK_BYTES = Math.floor(limits.maxPeerFrameBytes * 0.75)
/** What msgpack adds to a write, about, and to the name of a mailbox, at most. */
const WRITE_OVERHEAD_BYTES = 64
const MAILBOX_BYTES = 36
const MAX_CHUNK_WRITES = 2_000
/** Records that wait for their homes; past it the next ones are refused. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024

export interface AppendOptions {
  timeoutMs?: number
  /**
   * Of a record that is durable already, for many mailboxes: the homes that are there get theirs, even while W of another mailbox are not.
   * A failure then says only that some mailbox has it on fewer than W.
   */
  evenToFew?: boolean
}

interface Part {
  attempt: WriteAttempt
  groups: number[]
}
/** What one append carries: `parts[i]` is the attempt behind `writes[i]`. */
interface Batch {
  peer: string
  epoch: number
  writes: StoreWrite[]
  parts: Part[]
  bytes: number
  deadline: number
}

export class QuorumWriter {
  readonly #ports: HomePorts
  readonly #homes: HomeCalls
  readonly #plans = new WritePlans()
  #queue: Write[] = []
  #waiting = 0
  #waitingBytes = 0

  constructor(ports: HomePorts, homes: HomeCalls) {
    this.#ports = ports
    this.#homes = homes
  }

  /** Records that wait for their homes. */
  get waiting(): number {
    return this.#waiting
  }

  /** PEER_OVERLOADED (refused) when too much is waiting; else as the file says. */
  append({ mailboxes, sealed, acceptedAt }: StoreWrite, options: AppendOptions = {}): Promise<void> {
    const { timeoutMs = limits.appendTimeoutMs, evenToFew = false } = options
    if (this.#waitingBytes > MAX_WAITING_BYTES) return Promise.reject(new ChatError('PEER_OVERLOADED'))
    this.#waiting++
    this.#waitingBytes += sealed.length
    return new Promise((resolve, reject) => {
      const deadline = this.#ports.clock.monotonic() + timeoutMs
      const started = { left: false, settled: false, attempt: undefined }
      this.#queue.push({ mailboxes, sealed, acceptedAt, evenToFew, resolve, reject, deadline, ...started })
      if (this.#queue.length === 1) this.#ports.clock.after(0, () => this.#flush())
    })
  }

  /** QUORUM_UNAVAILABLE when an append to these mailboxes would be refused at once. */
  mustBeAvailable(mailboxes: string[]): void {
    const plan = this.#plans.of(this.#ports.view.current().map, mailboxes)
    if (!this.#isAvailable(plan)) throw this.#refusal(plan)
  }

  #flush(): void {
    const queue = this.#queue
    this.#queue = []
    this.#dispatch(queue)
  }

  /** Plans the writes under the present map and sends one append per home and chunk. */
  #dispatch(writes: Write[]): void {
    const { map } = this.#ports.view.current()
    const open = new Map<string, Batch>()
    const full: Batch[] = []
    for (const write of writes) {
      const plan = this.#plans.of(map, write.mailboxes)
      if (write.evenToFew || this.#isAvailable(plan)) this.#addToBatches(new WriteAttempt(write, plan), open, full)
      else this.#settle(write, this.#unavailable(write, plan))
    }
    for (const batch of full) this.#send(batch)
    for (const batch of open.values()) this.#send(batch)
  }

  /** W homes of each set are connected and not known to refuse writes. */
  #isAvailable(plan: WritePlan): boolean {
    for (const { peers, needed } of plan.groups) {
      let writable = 0
      for (const peer of peers) if (this.#homes.states.isWritable(peer)) writable++
      if (writable < needed) return false
    }
    return true
  }

  #unavailable(write: Write, plan: WritePlan): ChatError {
    if (write.left && !mutant('refused-after-partial-write')) return new ChatError('OUTCOME_UNKNOWN')
    return this.#refusal(plan)
  }

  #refusal(plan: WritePlan): ChatError {
    const writable = plan.homes.filter(({ peer }) => this.#homes.states.isWritable(peer)).length
    return new ChatError('QUORUM_UNAVAILABLE', { details: { writable, homes: plan.homes.length } })
  }

  #addToBatches(attempt: WriteAttempt, open: Map<string, Batch>, full: Batch[]): void {
    const { write, plan } = attempt
    write.attempt = attempt
    const { sealed, acceptedAt, deadline } = write
    for (const { peer, mailboxes, groups } of plan.homes) {
      const bytes = sealed.length + WRITE_OVERHEAD_BYTES + mailboxes.length * MAILBOX_BYTES
      let batch = open.get(peer)
      if (batch && (batch.bytes + bytes > MAX_CHUNK_BYTES || batch.writes.length >= MAX_CHUNK_WRITES)) {
        full.push(batch)
        batch = undefined
      }
      if (!batch) open.set(peer, (batch = { peer, epoch: plan.epoch, writes: [], parts: [], bytes: 0, deadline }))
      batch.writes.push({ mailboxes, sealed, acceptedAt })
      batch.parts.push({ attempt, groups })
      batch.bytes += bytes
    }
  }

  #send(batch: Batch): void {
    const { clock, transport } = this.#ports
    if (!transport.isConnected(batch.peer)) return this.#failed(batch, new ChatError('PEER_UNREACHABLE'))
    const timeoutMs = Math.max(1, batch.deadline - clock.monotonic())
    const request = { epoch: batch.epoch, writes: batch.writes }
    transport.call(batch.peer, storeAppend, request, { timeoutMs }).then(
      (mark) => this.#confirmed(batch, mark),
      (error: unknown) => this.#failed(batch, asChatError(error)),
    )
  }

  #confirmed(batch: Batch, mark: StoreMark): void {
    this.#homes.states.appended(batch.peer, mark)
    for (const { attempt, groups } of batch.parts) {
      if (attempt.write.settled) continue
      attempt.confirmed(groups)
      if (attempt.isDurable) this.#settle(attempt.write)
      else this.#giveUpIfOver(attempt)
    }
  }

  #failed(batch: Batch, error: ChatError): void {
    this.#homes.states.failed(batch.peer, error)
    if (hasCode(error, 'EPOCH_STALE') && this.#homes.adoptFrom(error, batch.epoch)) return this.#restart(batch)
    if (hasCode(error, 'EPOCH_AHEAD') && this.#ports.clock.monotonic() < batch.deadline) {
      void this.#homes.agree(batch.peer, batch.epoch, error).then(() => this.#send(batch))
      return
    }
    if (batch.writes.length > 1 && isFault(error)) return this.#divide(batch)
    for (const { attempt, groups } of batch.parts) {
      attempt.failed(groups, error)
      this.#giveUpIfOver(attempt)
    }
  }

  /** One record is wrong, and an append is kept whole or not at all: the others must not suffer for it. */
  #divide(batch: Batch): void {
    const middle = batch.writes.length >> 1
    this.#send({ ...batch, writes: batch.writes.slice(0, middle), parts: batch.parts.slice(0, middle) })
    this.#send({ ...batch, writes: batch.writes.slice(middle), parts: batch.parts.slice(middle) })
  }

  /** The map has changed: what is not durable yet begins anew under the new one. The old try still counts if its own quorum confirms. */
  #restart(batch: Batch): void {
    const { epoch } = this.#ports.view.current().map
    const writes: Write[] = []
    for (const { attempt } of batch.parts) {
      const { write, plan } = attempt
      if (write.settled || write.attempt !== attempt || plan.epoch >= epoch) continue
      write.left = true
      writes.push(write)
    }
    this.#dispatch(writes)
  }

  #giveUpIfOver(attempt: WriteAttempt): void {
    const { write, plan, fault } = attempt
    if (write.settled || write.attempt !== attempt || !attempt.isOver) return
    if (attempt.mayBeKept) write.left = true
    this.#settle(write, !write.left && fault ? fault : this.#unavailable(write, plan))
  }

  #settle(write: Write, error?: ChatError): void {
    write.settled = true
    this.#waiting--
    this.#waitingBytes -= write.sealed.length
    if (error) write.reject(error)
    else write.resolve()
  }
}
