// Requests to homes: each carries the epoch of the map this node knows, and ends an argument about epochs by itself:
// the one who lags behind gets the newer map, and the request is repeated within its deadline.
import { sleep } from '../../platform/timing.ts'
import type { Clock, Logger } from '../../platform/ports.ts'
import { fromBase64 } from '../../protocol/bytes.ts'
import { asChatError, ChatError } from '../../protocol/errors.ts'
import { limits } from '../../protocol/limits.ts'
import { mapPush, type RpcMethod } from '../../protocol/rpc.ts'
import type { ClusterView, PeerTransport } from '../core/ports.ts'
import { HomeStates } from './home-states.ts'

/** How long a home that lacks our map gets to adopt it before it is asked again. */
const AHEAD_RETRY_MS = 20

export interface HomePorts {
  transport: PeerTransport
  view: ClusterView
  clock: Clock
  log: Logger
}

export class HomeCalls {
  readonly states: HomeStates
  readonly #ports: HomePorts

  constructor(ports: HomePorts) {
    this.#ports = ports
    this.states = new HomeStates(ports)
  }

  /** Asks one home; `request` without its epoch. Rejects as PeerTransport.call does. */
  async ask<Request extends { epoch: number }, Response>(
    peer: string,
    method: RpcMethod<Request, Response>,
    request: Omit<Request, 'epoch'>,
  ): Promise<Response> {
    const { clock, transport, view } = this.#ports
    const deadline = clock.monotonic() + (method.timeoutMs ?? limits.rpcTimeoutMs)
    for (;;) {
      const timeoutMs = deadline - clock.monotonic()
      if (timeoutMs <= 0) throw new ChatError('NET_TIMEOUT')
      const { epoch } = view.current().map
      try {
        const complete = { ...request, epoch } as Request // Omit<Request, 'epoch'> and the epoch are a Request
        const response = await transport.call(peer, method, complete, { timeoutMs })
        this.states.read(peer)
        return response
      } catch (error) {
        this.states.failed(peer, error)
        if (!(await this.agree(peer, epoch, error))) throw asChatError(error)
      }
    }
  }

  /** After an error about epochs: true once a repeat has a chance. Any other error is false. */
  async agree(peer: string, epoch: number, error: unknown): Promise<boolean> {
    if (!(error instanceof ChatError)) return false
    if (error.code === 'EPOCH_STALE') return this.adoptFrom(error, epoch)
    if (error.code !== 'EPOCH_AHEAD') return false
    this.#ports.transport.notify(peer, mapPush, { sealed: this.#ports.view.current().sealed })
    await sleep(this.#ports.clock, AHEAD_RETRY_MS)
    return true
  }

  /** Adopts the map that a "stale epoch" answer carries; true when this node now knows an epoch above `epoch`. */
  adoptFrom(error: ChatError, epoch: number): boolean {
    const sealed = error.details?.map
    try {
      if (typeof sealed === 'string') this.#ports.view.adopt(fromBase64(sealed))
      if (sealed instanceof Uint8Array) this.#ports.view.adopt(sealed)
    } catch (cause) {
      this.#ports.log.warn({ error: asChatError(cause).message }, 'a home sent a map that does not verify')
    }
    return this.#ports.view.current().map.epoch > epoch
  }
}
