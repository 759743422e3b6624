// The life of a service: start in order, stop in reverse, undo a partial start, and a deadline for every stop.
import { asChatError, ChatError } from '../../protocol/errors.ts'
import type { Clock, Logger } from '../../platform/ports.ts'
import { withDeadline } from '../../platform/timing.ts'

export interface Service {
  readonly name: string
  /** Resolves when it serves. `signal` aborts when the node stops: every loop of the service ends with it. */
  start(signal: AbortSignal): Promise<void> | void
  stop(): Promise<void> | void
}

const STOP_MS = 5_000

export interface ServiceGroupOptions {
  clock: Clock
  log: Logger
}

export class ServiceGroup {
  readonly #services: Service[]
  readonly #options: ServiceGroupOptions
  readonly #abort = new AbortController()
  #started: Service[] = []

  constructor(services: Service[], options: ServiceGroupOptions) {
    this.#services = services
    this.#options = options
  }

  async start(): Promise<void> {
    for (const service of this.#services) {
      try {
        this.#started.push(service)
        await service.start(this.#abort.signal)
      } catch (error) {
        await this.stop()
        throw asChatError(error)
      }
    }
  }

  /** Stops what was started, the last first. A stop that throws or hangs is logged and passed over. */
  async stop(): Promise<void> {
    this.#abort.abort(new ChatError('GATEWAY_DRAINING', { message: 'The node is stopping' }))
    for (const service of this.#started.splice(0).reverse()) {
      try {
        await withDeadline(this.#options.clock, STOP_MS, Promise.resolve(service.stop()), 'TIMEOUT')
      } catch (error) {
        this.#options.log.warn(
          { service: service.name, error: asChatError(error).message },
          'a service did not stop in order',
        )
      }
    }
  }
}
