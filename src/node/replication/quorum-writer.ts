// Durable writes: collects what one turn of the loop writes, sends each home one append (in chunks below a peer frame),
// and settles every record as soon as W homes of each of its mailboxes have it on disk. A slow home delays nobody.
// Refused (QUORUM_UNAVAILABLE) only while no append can have left; from then on the only failure is OUTCOME_UNKNOWN.
import { mutant } from '../../platform/mutants.ts'
import { asChatError, ChatError, type ErrorCode, hasCode } from '../../protocol/errors.ts'
import { limits } from '../../protocol/limits.ts'
import { storeAppend, type StoreMark, type StoreWrite } from '../../protocol/rpc.ts'
import type { HomeCalls, HomePorts } from './home-calls.ts'
import { type WritePlan, WritePlans } from './write-plan.ts'

/** Room for the frame's own fields, and for what else shares the frame. */
const MAX_CHUNK_BYTES = Math.floor(limits.maxPeerFrameBytes * 0.75)
/** What msgpack adds to a write, about, and its mailboxes' names. */
const WRITE_OVERHEAD_BYTES = 128
const MAX_CHUNK_WRITES = 2_000

interface Write extends StoreWrite {
  resolve: () => void
  reject: (error: ChatError) => void
  /** By the monotonic clock. */
  deadline: number
  /** True once an append of it may have reached a home. */
  left: boolean
  settled: boolean
  attempt: Attempt | undefined
}
/** One try of a write under one epoch. */
interface Attempt {
  write: Write
  plan: WritePlan
  /** Per group of the plan: homes that must still confirm, and homes that may still fail. */
  needed: number[]
  spare: number[]
  openGroups: number
  answered: number
  /** Of those: homes that certainly keep nothing of it. */
  without: number
  /** Why a home finds the record itself wrong. */
  fault: ChatError | undefined
}
interface Part {
  attempt: Attempt
  groups: number[]
}
/** A home says so of the record, not of itself: it keeps nothing of the whole append. */
const FAULTS: readonly ErrorCode[] = [
  'MESSAGE_INVALID',
  'MESSAGE_TOO_LARGE',
  'RPC_INVALID',
  'AUTH_SIGNATURE',
  'AUTH_REVOKED',
]
/** The append never left, or was turned away at the door. */
const UNSENT: readonly ErrorCode[] = ['PEER_UNREACHABLE', 'PEER_OVERLOADED', 'PEER_DENIED']

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

  constructor(ports: HomePorts, homes: HomeCalls) {
    this.#ports = ports
    this.#homes = homes
  }

  /** Writes that wait for the end of the turn. */
  get queued(): number {
    return this.#queue.length
  }

  append(write: StoreWrite, timeoutMs: number = limits.appendTimeoutMs): Promise<void> {
    const { mailboxes, sealed, acceptedAt } = write
    return new Promise((resolve, reject) => {
      const deadline = this.#ports.clock.monotonic() + timeoutMs
      const started = { left: false, settled: false, attempt: undefined }
      this.#queue.push({ mailboxes, sealed, acceptedAt, resolve, reject, deadline, ...started })
      if (this.#queue.length === 1) this.#ports.clock.after(0, () => this.#flush())
    })
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
      if (write.settled) continue
      const plan = this.#plans.of(map, write.mailboxes)
      if (this.#isAvailable(plan)) this.#addToBatches(write, plan, open, full)
      else this.#reject(write, this.#unavailable(write, plan))
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
    if (write.left)
      return new ChatError(mutant('refused-after-partial-write') ? 'QUORUM_UNAVAILABLE' : 'OUTCOME_UNKNOWN')
    const writable = plan.homes.filter(({ peer }) => this.#homes.states.isWritable(peer)).length
    return new ChatError('QUORUM_UNAVAILABLE', { details: { writable, homes: plan.homes.length } })
  }

  #addToBatches(write: Write, plan: WritePlan, open: Map<string, Batch>, full: Batch[]): void {
    const attempt: Attempt = {
      write,
      plan,
      needed: plan.groups.map((group) => group.needed),
      spare: plan.groups.map((group) => group.peers.length - group.needed),
      openGroups: plan.groups.length,
      answered: 0,
      without: 0,
      fault: undefined,
    }
    write.attempt = attempt
    const bytes = write.sealed.length + WRITE_OVERHEAD_BYTES
    for (const { peer, mailboxes, groups } of plan.homes) {
      let batch = open.get(peer)
      if (batch && (batch.bytes + bytes > MAX_CHUNK_BYTES || batch.writes.length >= MAX_CHUNK_WRITES)) {
        full.push(batch)
        batch = undefined
      }
      if (!batch) {
        batch = { peer, epoch: plan.epoch, writes: [], parts: [], bytes: 0, deadline: write.deadline }
        open.set(peer, batch)
      }
      batch.writes.push({ mailboxes, sealed: write.sealed, acceptedAt: write.acceptedAt })
      batch.parts.push({ attempt, groups })
      batch.bytes += bytes
    }
  }

  #send(batch: Batch): void {
    const { clock, transport } = this.#ports
    if (!transport.isConnected(batch.peer)) {
      const error = new ChatError('PEER_UNREACHABLE')
      for (const part of batch.parts) this.#partFailed(part, error)
      return
    }
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
      attempt.answered++
      for (const group of groups) {
        const needed = (attempt.needed[group] ?? 0) - 1
        attempt.needed[group] = needed
        if (needed === 0) attempt.openGroups--
      }
      if (attempt.openGroups === 0) this.#resolve(attempt.write)
      else this.#judge(attempt)
    }
  }

  #failed(batch: Batch, error: ChatError): void {
    this.#homes.states.failed(batch.peer, error)
    if (hasCode(error, 'EPOCH_STALE') && this.#homes.adoptFrom(error, batch.epoch)) return this.#restart(batch)
    if (hasCode(error, 'EPOCH_AHEAD') && this.#ports.clock.monotonic() < batch.deadline) {
      void this.#homes.agree(batch.peer, batch.epoch, error).then(() => this.#send(batch))
      return
    }
    if (batch.writes.length > 1 && hasCode(error, ...FAULTS)) return this.#divide(batch)
    for (const part of batch.parts) this.#partFailed(part, error)
  }

  /** One record is wrong, and an append is kept whole or not at all: the others must not suffer for it. */
  #divide(batch: Batch): void {
    const middle = batch.writes.length >> 1
    for (const [from, to] of [
      [0, middle],
      [middle, batch.writes.length],
    ]) {
      this.#send({ ...batch, writes: batch.writes.slice(from, to), parts: batch.parts.slice(from, to) })
    }
  }

  /** The map has changed: what is not durable yet begins anew under the new one. Confirmations of the old epoch still count for it. */
  #restart(batch: Batch): void {
    const { epoch } = this.#ports.view.current().map
    const writes = batch.parts
      .filter(
        ({ attempt }) => !attempt.write.settled && attempt.write.attempt === attempt && attempt.plan.epoch < epoch,
      )
      .map(({ attempt }) => attempt.write)
    for (const write of writes) write.left = true
    this.#dispatch(writes)
  }

  #partFailed({ attempt, groups }: Part, error: ChatError): void {
    attempt.answered++
    if (hasCode(error, ...UNSENT, ...FAULTS)) attempt.without++
    if (hasCode(error, ...FAULTS)) attempt.fault = error
    for (const group of groups) attempt.spare[group] = (attempt.spare[group] ?? 0) - 1
    this.#judge(attempt)
  }

  /** Gives up an attempt that cannot reach its quorum any more. */
  #judge(attempt: Attempt): void {
    const { write, plan, answered, without, fault } = attempt
    if (write.settled || write.attempt !== attempt || attempt.spare.every((left) => left >= 0)) return
    // Every home so far keeps nothing of it: if the rest says so too, the write is refused, and that is worth waiting for.
    if (without === answered && answered < plan.homes.length) return
    if (without < answered) write.left = true
    this.#reject(write, !write.left && fault ? fault : this.#unavailable(write, plan))
  }

  #resolve(write: Write): void {
    write.settled = true
    write.resolve()
  }

  #reject(write: Write, error: ChatError): void {
    write.settled = true
    write.reject(error)
  }
}
