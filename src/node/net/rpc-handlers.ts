// The table of this node's RPC handlers, and how one is run: for a peer's frame, or directly for a call to oneself.
import { asChatError, ChatError } from '../../protocol/errors.ts'
import { type RpcMethod, rpcMethodByNumber } from '../../protocol/rpc.ts'
import type { Logger } from '../../platform/ports.ts'
import type { RpcHandler } from '../core/ports.ts'
import { decodePayload } from './rpc-frames.ts'

type AnyHandler = (request: unknown, from: string) => unknown

const nameOf = (method: number): string => rpcMethodByNumber(method)?.name ?? String(method)

/** A method of this version has no handler while its service starts, or where that role does not run. */
const withoutHandler = (method: number): ChatError =>
  rpcMethodByNumber(method)
    ? new ChatError('PEER_UNREACHABLE', { message: `${nameOf(method)} is not served by this node, or not yet` })
    : new ChatError('RPC_UNKNOWN')

export class RpcHandlers {
  readonly #handlers = new Map<number, AnyHandler>()
  readonly #log: Logger

  constructor(log: Logger) {
    this.#log = log
  }

  set<Request, Response>(method: RpcMethod<Request, Response>, handler: RpcHandler<Request, Response>): void {
    this.#handlers.set(method.number, handler as AnyHandler) // only requests of this method reach it
  }

  /** The request that a peer's frame carries. RPC_INVALID when it is none of this method. */
  open(method: number, payload: Uint8Array): unknown {
    const request = decodePayload(payload)
    if (rpcMethodByNumber(method)?.accepts(request) === false) {
      throw new ChatError('RPC_INVALID', { message: `That is no request of ${nameOf(method)}` })
    }
    return request
  }

  /** The answer or a promise of it; throws what the handler throws. RPC_UNKNOWN, PEER_UNREACHABLE. */
  run(method: number, request: unknown, from: string): unknown {
    const handler = this.#handlers.get(method)
    if (!handler) throw withoutHandler(method)
    return handler(request, from)
  }

  /** A one-way message: nobody waits, so what goes wrong is logged. */
  runNotice(method: number, request: unknown, from: string): void {
    const failed = (error: unknown): void =>
      this.#log.warn({ method: nameOf(method), from, error: asChatError(error).message }, 'a one-way message failed')
    try {
      const result = this.run(method, request, from)
      if (result instanceof Promise) result.catch(failed)
    } catch (error) {
      failed(error)
    }
  }
}
