// Requests of the ledger to homes. Unlike those of mailboxes a request keeps its epoch: a ballot belongs to the map it was made under.
// An argument about epochs is ended here, and whoever asked begins anew under the map that won.
import { sleep } from '../../platform/timing.ts'
import { asChatError } from '../../protocol/errors.ts'
import type { RpcMethod } from '../../protocol/rpc.ts'
import type { HomeCalls, HomePorts } from './home-calls.ts'

const ATTEMPTS = 3
const PAUSE_MS = 20

export class LedgerCalls {
  readonly #ports: HomePorts
  readonly #homes: HomeCalls

  constructor(ports: HomePorts, homes: HomeCalls) {
    this.#ports = ports
    this.#homes = homes
  }

  /** Rejects as PeerTransport.call does; after EPOCH_STALE the newer map is adopted. */
  async ask<Request extends { epoch: number }, Response>(
    peer: string,
    method: RpcMethod<Request, Response>,
    request: Request,
  ): Promise<Response> {
    try {
      return await this.#ports.transport.call(peer, method, request)
    } catch (error) {
      await this.#homes.agree(peer, request.epoch, error)
      throw asChatError(error)
    }
  }

  /** `attempt` again while it has no result, a few times: the map may have changed meanwhile, or a home may be back. */
  async retrying<Result>(attempt: () => Promise<Result | undefined>): Promise<Result | undefined> {
    for (let left = ATTEMPTS; left > 0; left--) {
      const result = await attempt()
      if (result !== undefined) return result
      if (left > 1) await sleep(this.#ports.clock, PAUSE_MS)
    }
    return undefined
  }
}
