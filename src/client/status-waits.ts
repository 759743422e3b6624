// Those who wait for something to become true: a message's state, or that everything is settled. Also remembers why messages of
// this run could not be stored, so that a timeout can say more than that time passed.
import { ChatError, hasCode } from '../protocol/errors.ts'
import type { Clock } from '../platform/ports.ts'
import type { MessageStatus, SendOptions, SendResult } from './api.ts'

const MAX_PROBLEMS = 1_000
const ALL = ''
const ENDED = 'The client was closed, or whoever waited gave up'
const rank: Record<MessageStatus, number> = { queued: 0, stored: 1, received: 2, read: 3, refused: 4 }

export interface WaitOptions {
  timeoutMs: number
  signals: AbortSignal[]
}
export interface StatusWaitOptions extends WaitOptions {
  result: () => SendResult
  wait: NonNullable<SendOptions['wait']>
  /** What is wrong with the connection as a whole. */
  trouble: () => string | undefined
}

export class StatusWaits {
  readonly #clock: Clock
  /** By message, and under no name those who wait for the client as a whole. */
  readonly #waiting = new Map<string, Set<() => void>>()
  readonly #problems = new Map<string, ChatError>()
  #denial: ChatError | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Those who wait for the client as a whole look again. */
  wake(): void {
    this.#look(ALL)
  }

  /** What many messages wait for may be there. */
  wakeAll(): void {
    for (const id of [...this.#waiting.keys()]) this.#look(id)
  }

  changed(id: string, error?: ChatError): void {
    if (!error) this.#problems.delete(id)
    else {
      if (this.#problems.size >= MAX_PROBLEMS) this.#problems.delete(this.#problems.keys().next().value ?? '')
      this.#problems.set(id, error)
    }
    this.#look(id)
    this.#look(ALL)
  }

  /** While gateways refuse this device for good, nobody waits for what cannot come; undefined takes that back. */
  denied(error: ChatError | undefined): void {
    this.#denial = error
    if (error) this.wakeAll()
  }

  get denial(): ChatError | undefined {
    return this.#denial
  }

  problem(id: string): ChatError | undefined {
    return this.#problems.get(id)
  }

  /** TIMEOUT, the reason of a refusal or of the denial of this device, or NET_CLOSED when the client closes first. */
  async until(id: string, { result, wait, trouble, ...options }: StatusWaitOptions): Promise<SendResult> {
    try {
      await this.#until(id, () => rank[result().status] >= rank[wait] || this.#denial !== undefined, options)
    } catch (error) {
      throw this.#explain(error, result(), this.#problems.get(id)?.message ?? trouble() ?? this.#othersReason())
    }
    const reached = result()
    if (this.#denial && rank[reached.status] < rank[wait]) throw denialOf(this.#denial, reached)
    if (reached.status !== 'refused') return reached
    const reason = this.#problems.get(id) ?? new ChatError('MESSAGE_INVALID', { message: 'The message was refused' })
    throw new ChatError(reason.code, { message: reason.message, details: { result: reached }, cause: reason })
  }

  /** TIMEOUT, with what is known of its reason; the denial of this device, or NET_CLOSED when the client closes first. */
  async condition(holds: () => boolean, options: WaitOptions): Promise<void> {
    try {
      await this.#until(ALL, () => holds() || this.#denial !== undefined, options)
    } catch (error) {
      const reason = this.#reason()
      if (!hasCode(error, 'TIMEOUT') || reason === undefined) throw error
      throw new ChatError('TIMEOUT', { details: { reason } })
    }
    if (this.#denial && !holds()) throw this.#denial
  }

  #look(name: string): void {
    for (const look of [...(this.#waiting.get(name) ?? [])]) look()
  }

  #until(name: string, holds: () => boolean, { timeoutMs, signals }: WaitOptions): Promise<void> {
    if (holds()) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const signal = AbortSignal.any(signals)
      const waiting = this.#waiting.get(name) ?? new Set()
      const finish = (settle: () => void): void => {
        waiting.delete(look)
        if (waiting.size === 0) this.#waiting.delete(name)
        cancel()
        signal.removeEventListener('abort', abort)
        settle()
      }
      const look = (): void => {
        if (holds()) finish(resolve)
      }
      const abort = (): void => finish(() => reject(new ChatError('NET_CLOSED', { message: ENDED })))
      const cancel = this.#clock.after(timeoutMs, () => finish(() => reject(new ChatError('TIMEOUT'))))
      waiting.add(look)
      this.#waiting.set(name, waiting)
      signal.addEventListener('abort', abort, { once: true })
      if (signal.aborted) abort()
    })
  }

  /** Why the last message that waits does so. */
  #reason(): string | undefined {
    return [...this.#problems.values()].findLast(({ retryable }) => retryable)?.message
  }

  /** Messages to one place leave in their order: one may wait for another. */
  #othersReason(): string | undefined {
    const reason = this.#reason()
    return reason && `an earlier message waits: ${reason}`
  }

  #explain(error: unknown, result: SendResult, reason: string | undefined): unknown {
    if (!(error instanceof ChatError) || error.code !== 'TIMEOUT') return error
    const reached = `The message is ${result.status}; the state waited for was not reached in time`
    if (result.status !== 'queued') return new ChatError('TIMEOUT', { message: reached, details: { result } })
    const message = `${reached}${reason ? ` (${reason})` : ''}. It stays in the outbox and is sent again by itself`
    return new ChatError('TIMEOUT', { message, details: { result } })
  }
}

const denialOf = ({ code, message }: ChatError, result: SendResult): ChatError =>
  new ChatError(code, {
    message: `${message} (the message is ${result.status})`,
    details: { result },
    outcome: 'unknown',
  })
