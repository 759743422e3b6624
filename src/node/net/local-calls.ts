// Calls of a node to itself: the handler's function with the same objects, no encoding. A turn of microtasks later, so that
// a handler never runs inside the call; and with the deadline that a call to a peer has.
import { asChatError, ChatError } from '../../protocol/errors.ts'
import type { Clock } from '../../platform/ports.ts'
import { PendingCalls } from './pending-calls.ts'
import type { RpcHandlers } from './rpc-handlers.ts'

export class LocalCalls {
  readonly #self: string
  readonly #handlers: RpcHandlers
  readonly #clock: Clock
  readonly #pending = new PendingCalls()

  constructor(self: string, handlers: RpcHandlers, clock: Clock) {
    this.#self = self
    this.#handlers = handlers
    this.#clock = clock
  }

  call(method: number, request: unknown, timeoutMs: number): Promise<unknown> {
    const { id, answer } = this.#pending.open(this.#clock.monotonic() + timeoutMs)
    const fail = (error: unknown): void => this.#pending.fail(id, asChatError(error))
    queueMicrotask(() => {
      try {
        const result = this.#handlers.run(method, request, this.#self)
        if (result instanceof Promise) result.then((value: unknown) => this.#pending.settle(id, value), fail)
        else this.#pending.settle(id, result)
      } catch (error) {
        fail(error)
      }
    })
    return answer
  }

  notify(method: number, request: unknown): void {
    queueMicrotask(() => this.#handlers.runNotice(method, request, this.#self))
  }

  tick(now: number): void {
    this.#pending.sweep(now)
  }

  end(): void {
    this.#pending.failAll(() => new ChatError('NET_CLOSED'))
  }
}
