// One try to bring a record to its quorum under one plan: counts who has it, who certainly keeps nothing of it, and who may or may not.
// Pure counting: it sends nothing and knows no time.
import { type ChatError, type ErrorCode, hasCode } from '../../protocol/errors.ts'
import type { StoreWrite } from '../../protocol/rpc.ts'
import type { WritePlan } from './write-plan.ts'

export interface Write extends StoreWrite {
  resolve: () => void
  reject: (error: ChatError) => void
  /** By the monotonic clock. */
  deadline: number
  /** Goes to the homes that are there, even while W of some mailbox are not. */
  evenToFew: boolean
  /** True once an append of it may have reached a home. */
  left: boolean
  settled: boolean
  /** The newest try; an older one may still succeed, but its failure says nothing. */
  attempt: WriteAttempt | undefined
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

export const isFault = (error: ChatError): boolean => hasCode(error, ...FAULTS)

export class WriteAttempt {
  readonly write: Write
  readonly plan: WritePlan
  /** Per group of the plan: homes that must still confirm, and homes that may still fail. */
  readonly #needed: number[]
  readonly #spare: number[]
  #openGroups: number
  #answered = 0
  /** Of those: homes that certainly keep nothing of it. */
  #without = 0
  #fault: ChatError | undefined

  constructor(write: Write, plan: WritePlan) {
    this.write = write
    this.plan = plan
    this.#needed = plan.groups.map((group) => group.needed)
    this.#spare = plan.groups.map((group) => group.peers.length - group.needed)
    this.#openGroups = plan.groups.length
  }

  /** A home that counts for these groups has it on disk. */
  confirmed(groups: readonly number[]): void {
    this.#answered++
    for (const group of groups) {
      const needed = (this.#needed[group] ?? 0) - 1
      this.#needed[group] = needed
      if (needed === 0) this.#openGroups--
    }
  }

  failed(groups: readonly number[], error: ChatError): void {
    this.#answered++
    if (isFault(error)) this.#fault = error
    if (isFault(error) || hasCode(error, ...UNSENT)) this.#without++
    for (const group of groups) this.#spare[group] = (this.#spare[group] ?? 0) - 1
  }

  /** W homes of every set have it. */
  get isDurable(): boolean {
    return this.#openGroups === 0
  }

  /**
   * It cannot become durable, and nothing is gained by waiting: while every home so far keeps nothing of it, the rest may say so too,
   * and then the write is refused instead of unknown.
   */
  get isOver(): boolean {
    if (this.#spare.every((left) => left >= 0)) return false
    return this.#without < this.#answered || this.#answered === this.plan.homes.length
  }

  /** Some home has it, or may have it. */
  get mayBeKept(): boolean {
    return this.#without < this.#answered
  }

  /** Why homes find the record itself wrong. */
  get fault(): ChatError | undefined {
    return this.#fault
  }
}
