// One connection to a gateway as requests with replies and frames that come unasked. Owns the numbering of requests
// and their deadlines; knows nothing of what the frames mean.
import * as v from 'valibot'
import { asChatError, ChatError } from '../protocol/errors.ts'
import {
  gatewayFrames,
  type ClientFrame,
  type ClientFrameType,
  type GatewayFrame,
  type GatewayFrameType,
} from '../protocol/frames.ts'
import type { Clock } from '../platform/ports.ts'
import type { Dial, GatewayLink } from './ports.ts'

const REQUEST_TIMEOUT_MS = 10_000

export type FrameHandlers = { [T in GatewayFrameType]?: (frame: GatewayFrame<T>) => void }
type Fields<T extends ClientFrameType> = Omit<ClientFrame<T>, 'id'>

interface Waiting {
  types: readonly GatewayFrameType[]
  resolve: (frame: unknown) => void
  reject: (error: ChatError) => void
  cancel: () => void
}

export interface SessionOptions {
  clock: Clock
  handlers: FrameHandlers
  /** Called once, when the connection is over for any reason but close(). */
  onEnd: (error: ChatError) => void
  /** A request was answered: by this type of frame, or refused. */
  onAnswer?: (answer: GatewayFrameType | ChatError) => void
  /** Gives up dialling. */
  signal?: AbortSignal
}

const isFrameType = (type: unknown): type is GatewayFrameType =>
  typeof type === 'string' && Object.hasOwn(gatewayFrames, type)

export class Session {
  readonly url: string
  readonly #options: SessionOptions
  readonly #waiting = new Map<number, Waiting>()
  #handlers: FrameHandlers
  #link: GatewayLink | undefined
  #nextId = 1
  #isOver = false

  private constructor(url: string, options: SessionOptions) {
    this.url = url
    this.#options = options
    this.#handlers = options.handlers
  }

  static async open(dial: Dial, url: string, options: SessionOptions): Promise<Session> {
    const session = new Session(url, options)
    const handlers = {
      message: (text: string) => session.#receive(text),
      closed: (reason: string) => session.#end(new ChatError('NET_CLOSED', { details: { reason } })),
    }
    session.#link = await dial(url, handlers, options.signal)
    return session
  }

  get isOver(): boolean {
    return this.#isOver
  }

  get requestsUnderWay(): number {
    return this.#waiting.size
  }

  get bufferedBytes(): number {
    return this.#link?.bufferedBytes ?? 0
  }

  set handlers(handlers: FrameHandlers) {
    this.#handlers = handlers
  }

  /** `reply`: what may answer it. Rejects with the gateway's error, NET_TIMEOUT or NET_CLOSED. */
  request<T extends ClientFrameType, R extends GatewayFrameType>(
    type: T,
    fields: Fields<T>,
    reply: R | readonly R[],
    timeoutMs = REQUEST_TIMEOUT_MS,
  ): Promise<GatewayFrame<R>> {
    return new Promise((resolve, reject) => {
      const link = this.#link
      // Never sent, so nothing happened.
      if (this.#isOver || !link) return reject(new ChatError('NET_CLOSED', { outcome: 'refused' }))
      const id = this.#nextId++
      const cancel = this.#options.clock.after(timeoutMs, () => {
        this.#waiting.delete(id)
        reject(new ChatError('NET_TIMEOUT'))
      })
      // The reply's type is compared, and its shape checked, before it gets here.
      const typed = resolve as (frame: unknown) => void
      const types = typeof reply === 'string' ? [reply] : reply
      this.#waiting.set(id, { types, resolve: typed, reject, cancel })
      link.send(JSON.stringify({ t: type, id, ...fields }))
    })
  }

  /** Says something that nobody answers; on a connection that is over it is lost. */
  notify<T extends ClientFrameType>(type: T, fields: Fields<T>): void {
    if (!this.#isOver) this.#link?.send(JSON.stringify({ t: type, id: this.#nextId++, ...fields }))
  }

  /** Ends it as if the network had. */
  abandon(reason: string): void {
    this.#link?.close()
    this.#end(new ChatError('NET_CLOSED', { details: { reason } }))
  }

  close(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#link?.close()
    this.#rejectAll(new ChatError('NET_CLOSED'))
  }

  #end(error: ChatError): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#rejectAll(error)
    this.#options.onEnd(error)
  }

  #rejectAll(error: ChatError): void {
    for (const waiting of this.#waiting.values()) {
      waiting.cancel()
      waiting.reject(error)
    }
    this.#waiting.clear()
  }

  #receive(text: string): void {
    if (this.#isOver) return
    let frame: unknown
    try {
      frame = JSON.parse(text)
    } catch {
      return this.#fail('a frame that is not JSON')
    }
    const type = (frame as { t?: unknown } | null)?.t
    if (!isFrameType(type)) return // of a newer version
    const checked = v.safeParse(gatewayFrames[type].schema, frame)
    if (!checked.success) return this.#fail(`a malformed ${type}`)
    try {
      this.#dispatch(type, checked.output)
    } catch (error) {
      // Whatever a gateway sends may end its connection, and nothing else.
      this.#fail(`a ${type} that cannot be used (${asChatError(error).message})`)
    }
  }

  #dispatch(type: GatewayFrameType, frame: object): void {
    const id = 'id' in frame && typeof frame.id === 'number' ? frame.id : undefined
    const waiting = id === undefined ? undefined : this.#waiting.get(id)
    if (id !== undefined && !waiting) return // nobody waits for it (any more)
    if (id === undefined || !waiting) {
      const handler = this.#handlers[type] as ((frame: unknown) => void) | undefined // the schema of this very type was checked
      try {
        handler?.(frame)
      } catch (error) {
        if (!(error instanceof ChatError)) throw error
        this.#fail(`a ${type} that makes no sense`)
      }
      return
    }
    this.#waiting.delete(id)
    waiting.cancel()
    const error = type === 'error' ? ChatError.fromWire(frame) : undefined
    this.#options.onAnswer?.(error ?? type)
    if (error) waiting.reject(error)
    else if (waiting.types.includes(type)) waiting.resolve(frame)
    else waiting.reject(new ChatError('RPC_INVALID', { message: `The gateway answered ${type}`, outcome: 'unknown' }))
  }

  #fail(what: string): void {
    this.#link?.close()
    this.#end(new ChatError('RPC_INVALID', { message: `The gateway sent ${what}` }))
  }
}
