// Requests, answers and notices of two peers over one byte stream, both ways at once.
// Bounded: bytes that wait for the peer (PEER_OVERLOADED), handlers that run for it, and answers it does not read (reading
// pauses until it does). It does not know who the peer is to the cluster.
import { asChatError, ChatError, type WireError } from '../../protocol/errors.ts'
import { limits } from '../../protocol/limits.ts'
import type { Clock, Logger } from '../../platform/ports.ts'
import { PendingCalls } from './pending-calls.ts'
import {
  carriedBytes,
  decodePayload,
  encodeParts,
  encodePayload,
  type Frame,
  FrameReader,
  FrameType,
} from './rpc-frames.ts'
import type { RpcHandlers } from './rpc-handlers.ts'
import { RpcOutbox } from './rpc-outbox.ts'

/** The byte stream underneath; `send` false = wait for drained. */
export interface RpcWire {
  send(bytes: Uint8Array): boolean
  pause(): void
  resume(): void
  /** Ends it; `error` when it is not in order. */
  end(error?: Error): void
  listen(events: { data: (chunk: Uint8Array) => void; drained: () => void; closed: () => void }): void
}

/** Handlers under way for one peer; far above what batching services need, far below what hurts. */
const MAX_RUNNING = 16_384
/** Answers that wait because the peer does not read: above it no more of its requests are read. */
const PAUSE_ABOVE_BYTES = 4 * 1024 * 1024
/** A stream on which nothing could be sent for so long is dead, or both sides wait for each other. */
const STALLED_MS = 5_000
const HEARTBEAT_MS = 750
const nothing = encodePayload(undefined)

export interface RpcStreamOptions {
  peer: string
  wire: RpcWire
  handlers: RpcHandlers
  clock: Clock
  log: Logger
  /** Called once, when the stream has ended for whatever reason. */
  onEnd: () => void
  /** Called for each chunk that arrives. */
  onHeard?: () => void
  /** Says now and then that this side is alive: one stream of a link is enough. */
  beats?: boolean
}

type Take = (frame: Frame) => void

export class RpcStream {
  readonly #options: RpcStreamOptions
  readonly #reader = new FrameReader()
  readonly #pending = new PendingCalls()
  readonly #outbox: RpcOutbox
  /** By type. Heartbeats, and types of a newer version, mean only that the peer is alive. */
  readonly #takers: Partial<Record<number, Take>> = {
    [FrameType.request]: (frame) => this.#serve(frame),
    [FrameType.response]: ({ id, payload }) => this.#settle(id, payload),
    [FrameType.error]: ({ id, payload }) =>
      this.#pending.fail(id, ChatError.fromWire(asWireError(decodePayload(payload)))),
    [FrameType.notice]: ({ method, payload }) => this.#noticed(method, payload),
  }
  #running = 0
  #isPaused = false
  #isEnded = false

  constructor(options: RpcStreamOptions) {
    const { wire, clock } = options
    this.#options = options
    this.#outbox = new RpcOutbox({
      clock,
      send: (chunk) => wire.send(chunk),
      onSending: (frame) => frame.type !== FrameType.request || this.#pending.markSent(frame.id, carriedBytes(frame)),
      onFlushed: () => this.#resumeIfRead(),
      onError: (error) => this.end(error),
    })
    wire.listen({
      data: (chunk) => this.#received(chunk),
      drained: () => this.#outbox.drained(),
      closed: () => this.end(),
    })
  }

  /** Bytes that wait for this peer: not yet sent, or sent and not answered. */
  get heldBytes(): number {
    return this.#outbox.bytes + this.#pending.bytes
  }

  /** Throws at once PEER_OVERLOADED, PEER_UNREACHABLE, RPC_INVALID; rejects with NET_TIMEOUT, NET_CLOSED or the peer's error. */
  call(method: number, request: unknown, timeoutMs: number): Promise<unknown> {
    const encoded = this.#encode(request)
    const { id, answer } = this.#pending.open(this.#options.clock.monotonic() + timeoutMs)
    this.#outbox.add({ type: FrameType.request, id, method, ...encoded })
    return answer
  }

  /** Throws PEER_OVERLOADED, PEER_UNREACHABLE, RPC_INVALID. */
  notify(method: number, request: unknown): void {
    this.#outbox.add({ type: FrameType.notice, id: 0, method, ...this.#encode(request) })
  }

  heartbeat(): void {
    this.#outbox.add({ type: FrameType.heartbeat, id: 0, method: 0, payload: nothing })
  }

  /** Called by the owner several times a second: deadlines, heartbeats, stalled streams. */
  tick(now: number): void {
    const { blockedSince, sentAt } = this.#outbox
    this.#pending.sweep(now)
    if (blockedSince !== undefined && now - blockedSince > STALLED_MS) {
      this.end(new ChatError('NET_TIMEOUT', { message: 'The peer reads nothing any more' }))
    } else if (this.#options.beats && blockedSince === undefined && now - sentAt >= HEARTBEAT_MS) {
      this.heartbeat()
    }
  }

  /** Without an error it sends what waits first. Requests without an answer reject with NET_CLOSED. */
  end(error?: Error): void {
    if (this.#isEnded) return
    this.#isEnded = true
    if (!error) this.#outbox.flush()
    this.#outbox.close()
    this.#pending.failAll(() => new ChatError('NET_CLOSED'))
    this.#options.wire.end(error)
    this.#options.onEnd()
  }

  #encode(request: unknown): Pick<Frame, 'payload' | 'tail'> {
    if (this.#isEnded) throw new ChatError('PEER_UNREACHABLE')
    const encoded = encodeParts(request)
    if (this.heldBytes + carriedBytes(encoded) > limits.maxInFlightBytesPerPeer) throw new ChatError('PEER_OVERLOADED')
    return encoded
  }

  // ---- receiving ----------------------------------------------------------------------------------------------------

  #received(chunk: Uint8Array): void {
    if (this.#isEnded) return
    this.#options.onHeard?.()
    this.#reader.push(chunk)
    this.#readFrames()
  }

  #readFrames(): void {
    try {
      while (!this.#isPaused && !this.#isEnded) {
        const frame = this.#reader.next()
        if (!frame) return
        this.#takers[frame.type]?.(frame)
      }
    } catch (error) {
      this.#options.log.warn({ peer: this.#options.peer, error: asChatError(error).message }, 'a peer sent nonsense')
      this.end(asChatError(error))
    }
  }

  #settle(id: number, payload: Uint8Array): void {
    try {
      this.#pending.settle(id, decodePayload(payload))
    } catch (cause) {
      this.#pending.fail(id, new ChatError('RPC_INVALID', { outcome: 'unknown', cause }))
    }
  }

  #noticed(method: number, payload: Uint8Array): void {
    const { handlers, peer, log } = this.#options
    let request: unknown
    try {
      request = handlers.open(method, payload)
    } catch (error) {
      return log.warn({ peer, error: asChatError(error).message }, 'a one-way message was malformed')
    }
    handlers.runNotice(method, request, peer)
  }

  // ---- serving ------------------------------------------------------------------------------------------------------

  #serve(frame: Frame): void {
    if (this.#running >= MAX_RUNNING) return this.#answerError(frame, new ChatError('PEER_OVERLOADED'))
    try {
      const { handlers, peer } = this.#options
      const result = handlers.run(frame.method, handlers.open(frame.method, frame.payload), peer)
      if (!(result instanceof Promise)) return this.#answer(frame, result)
      this.#running += 1
      result.then(
        (value: unknown) => this.#answerLater(frame, value),
        (error: unknown) => {
          this.#running -= 1
          this.#answerError(frame, error)
        },
      )
    } catch (error) {
      this.#answerError(frame, error)
    }
  }

  #answerLater(frame: Frame, value: unknown): void {
    this.#running -= 1
    try {
      this.#answer(frame, value)
    } catch (error) {
      this.#answerError(frame, error) // too large to be sent
    }
  }

  #answer({ id, method }: Frame, value: unknown): void {
    this.#outbox.add({ type: FrameType.response, id, method, ...encodeParts(value) })
    if (this.#outbox.answerBytes > PAUSE_ABOVE_BYTES && !this.#isPaused) this.#setPaused(true)
  }

  #answerError({ id, method }: Frame, error: unknown): void {
    const wire = asChatError(error).toWire()
    let payload: Uint8Array
    try {
      payload = encodePayload(wire)
    } catch {
      payload = encodePayload({ ...wire, details: {} }) // details that cannot be sent
    }
    this.#outbox.add({ type: FrameType.error, id, method, payload })
  }

  #resumeIfRead(): void {
    if (!this.#isPaused || this.#outbox.answerBytes > PAUSE_ABOVE_BYTES / 2) return
    this.#setPaused(false)
    this.#readFrames()
  }

  #setPaused(isPaused: boolean): void {
    this.#isPaused = isPaused
    try {
      if (isPaused) this.#options.wire.pause()
      else this.#options.wire.resume()
    } catch (error) {
      this.end(asChatError(error)) // it closed a moment ago
    }
  }
}

/** Whatever a peer sent as an error: fromWire checks the fields that it uses. */
const asWireError = (value: unknown): Partial<WireError> => (typeof value === 'object' && value !== null ? value : {})
