// Requests, answers and notices of two peers over one byte stream, both ways at once.
// Everything that is sent in one turn of the loop leaves as one chunk. Bounded: bytes that wait for the peer (PEER_OVERLOADED),
// handlers that run for it, and answers it does not read (reading pauses). It does not know who the peer is to the cluster.
import { asChatError, ChatError, type WireError } from '../../protocol/errors.ts'
import { limits } from '../../protocol/limits.ts'
import type { Clock, Logger } from '../../platform/ports.ts'
import { PendingCalls } from './pending-calls.ts'
import {
  decodePayload,
  encodePayload,
  type Frame,
  frameBytes,
  FrameReader,
  FrameType,
  joinFrames,
} from './rpc-frames.ts'
import type { RpcHandlers } from './rpc-handlers.ts'

/** The byte stream underneath; `send` false = wait for drained. */
export interface RpcWire {
  send(bytes: Uint8Array): boolean
  pause(): void
  resume(): void
  /** Ends it; `error` when it is not in order. */
  end(error?: Error): void
  listen(events: { data: (chunk: Uint8Array) => void; drained: () => void; closed: () => void }): void
}

/** One send: larger chunks save no more calls, and delay the first byte. */
const CHUNK_BYTES = 64 * 1024
/** Handlers under way for one peer; far above what batching services need, far below what hurts. */
const MAX_RUNNING = 16_384
/** Answers that wait because the peer does not read: above it no more of its requests are read. */
const PAUSE_ABOVE_BYTES = 4 * 1024 * 1024
/** A stream on which nothing could be sent for so long is dead, or both sides wait for each other. */
const STALLED_MS = 5_000
const HEARTBEAT_MS = 750

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
}

export class RpcStream {
  readonly #options: RpcStreamOptions
  readonly #reader = new FrameReader()
  readonly #pending = new PendingCalls()
  #queue: Frame[] = []
  #queuedBytes = 0
  #answerBytes = 0
  #running = 0
  #flushing = false
  #paused = false
  #blockedSince: number | undefined
  #sentAt: number
  #ended = false

  constructor(options: RpcStreamOptions) {
    this.#options = options
    this.#sentAt = options.clock.monotonic()
    options.wire.listen({
      data: (chunk) => this.#received(chunk),
      drained: () => this.#drained(),
      closed: () => this.end(),
    })
  }

  /** Bytes that wait for this peer: not yet sent, or sent and not answered. */
  get heldBytes(): number {
    return this.#queuedBytes + this.#pending.bytes
  }

  /** Throws at once PEER_OVERLOADED, PEER_UNREACHABLE, RPC_INVALID; rejects with NET_TIMEOUT, NET_CLOSED or the peer's error. */
  call(method: number, request: unknown, timeoutMs: number): Promise<unknown> {
    if (this.#ended) throw new ChatError('PEER_UNREACHABLE')
    const payload = encodePayload(request)
    this.#refuseWhenFull(payload.length)
    const { id, answer } = this.#pending.open(this.#options.clock.monotonic() + timeoutMs, payload.length)
    this.#enqueue({ type: FrameType.request, id, method, payload })
    return answer
  }

  /** Throws PEER_OVERLOADED, PEER_UNREACHABLE, RPC_INVALID. */
  notify(method: number, request: unknown): void {
    if (this.#ended) throw new ChatError('PEER_UNREACHABLE')
    const payload = encodePayload(request)
    this.#refuseWhenFull(payload.length)
    this.#enqueue({ type: FrameType.notice, id: 0, method, payload })
  }

  heartbeat(): void {
    if (!this.#ended) this.#enqueue({ type: FrameType.heartbeat, id: 0, method: 0, payload: encodePayload(undefined) })
  }

  /** Called by the owner several times a second: deadlines, heartbeats, stalled streams. */
  tick(now: number): void {
    this.#pending.sweep(now)
    if (this.#blockedSince !== undefined && now - this.#blockedSince > STALLED_MS) {
      this.end(new ChatError('NET_TIMEOUT', { message: 'The peer reads nothing any more' }))
    } else if (now - this.#sentAt >= HEARTBEAT_MS && this.#queue.length === 0) {
      this.#sentAt = now
      this.heartbeat()
    }
  }

  /** Sends what waits, then ends. Requests without an answer reject with NET_CLOSED. */
  end(error?: Error): void {
    if (this.#ended) return
    if (!error) this.#flush()
    this.#ended = true
    this.#queue = []
    this.#queuedBytes = 0
    this.#pending.failAll(() => new ChatError('NET_CLOSED'))
    this.#options.wire.end(error)
    this.#options.onEnd()
  }

  #refuseWhenFull(bytes: number): void {
    if (this.heldBytes + bytes > limits.maxInFlightBytesPerPeer) throw new ChatError('PEER_OVERLOADED')
  }

  // ---- sending ------------------------------------------------------------------------------------------------------

  #enqueue(frame: Frame): void {
    this.#queue.push(frame)
    this.#queuedBytes += frameBytes(frame)
    if (isAnswer(frame)) this.#answerBytes += frame.payload.length
    if (this.#flushing || this.#blockedSince !== undefined) return
    this.#flushing = true
    setImmediate(() => this.#flush())
  }

  #flush(): void {
    this.#flushing = false
    while (!this.#ended && this.#queue.length > 0 && this.#blockedSince === undefined) {
      const frames = this.#takeChunk()
      if (frames.length > 0) this.#send(joinFrames(frames))
    }
    if (this.#paused && this.#answerBytes < PAUSE_ABOVE_BYTES / 2) this.#resume()
  }

  /** Up to 64 KiB of frames, at least one; requests that timed out meanwhile are left out. */
  #takeChunk(): Frame[] {
    let bytes = 0
    let count = 0
    for (const frame of this.#queue) {
      if (count > 0 && bytes + frameBytes(frame) > CHUNK_BYTES) break
      bytes += frameBytes(frame)
      count += 1
      if (isAnswer(frame)) this.#answerBytes -= frame.payload.length
    }
    this.#queuedBytes -= bytes
    const taken = count === this.#queue.length ? this.#queue : this.#queue.splice(0, count)
    if (taken === this.#queue) this.#queue = []
    return taken.filter((frame) => frame.type !== FrameType.request || this.#pending.has(frame.id))
  }

  #send(chunk: Uint8Array): void {
    try {
      this.#sentAt = this.#options.clock.monotonic()
      if (!this.#options.wire.send(chunk)) this.#blockedSince = this.#sentAt
    } catch (error) {
      this.end(asChatError(error)) // libp2p throws when the stream closed a moment ago
    }
  }

  #drained(): void {
    this.#blockedSince = undefined
    this.#flush()
  }

  // ---- receiving ----------------------------------------------------------------------------------------------------

  #received(chunk: Uint8Array): void {
    if (this.#ended) return
    this.#options.onHeard?.()
    this.#reader.push(chunk)
    this.#readFrames()
  }

  #readFrames(): void {
    try {
      while (!this.#paused && !this.#ended) {
        const frame = this.#reader.next()
        if (!frame) return
        this.#take(frame)
      }
    } catch (error) {
      this.#options.log.warn({ peer: this.#options.peer, error: asChatError(error).message }, 'a peer sent nonsense')
      this.end(asChatError(error))
    }
  }

  #take({ type, id, method, payload }: Frame): void {
    if (type === FrameType.request) this.#serve(id, method, payload)
    else if (type === FrameType.response) this.#settle(id, payload)
    else if (type === FrameType.error) this.#pending.fail(id, ChatError.fromWire(asWireError(decodePayload(payload))))
    else if (type === FrameType.notice)
      this.#options.handlers.runNotice(method, decodePayload(payload), this.#options.peer)
    // Heartbeats, and types of a newer version, mean only that the peer is alive.
  }

  #settle(id: number, payload: Uint8Array): void {
    try {
      this.#pending.settle(id, decodePayload(payload))
    } catch (error) {
      this.#pending.fail(id, asChatError(error))
    }
  }

  #serve(id: number, method: number, payload: Uint8Array): void {
    if (this.#running >= MAX_RUNNING) return this.#answerError(id, method, new ChatError('PEER_OVERLOADED'))
    try {
      const result = this.#options.handlers.run(method, decodePayload(payload), this.#options.peer)
      if (!(result instanceof Promise)) return this.#answer(id, method, result)
      this.#running += 1
      result.then(
        (value: unknown) => this.#finished(() => this.#answer(id, method, value)),
        (error: unknown) => this.#finished(() => this.#answerError(id, method, error)),
      )
    } catch (error) {
      this.#answerError(id, method, error)
    }
  }

  #finished(answer: () => void): void {
    this.#running -= 1
    if (!this.#ended) answer()
  }

  #answer(id: number, method: number, value: unknown): void {
    let payload: Uint8Array
    try {
      payload = encodePayload(value)
    } catch (error) {
      return this.#answerError(id, method, error)
    }
    this.#enqueue({ type: FrameType.response, id, method, payload })
    if (this.#answerBytes > PAUSE_ABOVE_BYTES && !this.#paused) this.#pause()
  }

  #answerError(id: number, method: number, error: unknown): void {
    const { details, ...bare } = asChatError(error).toWire()
    let payload: Uint8Array
    try {
      payload = encodePayload({ ...bare, ...(details ? { details } : {}) })
    } catch {
      payload = encodePayload(bare) // details that cannot be sent
    }
    this.#enqueue({ type: FrameType.error, id, method, payload })
  }

  #pause(): void {
    this.#paused = true
    try {
      this.#options.wire.pause()
    } catch (error) {
      this.end(asChatError(error))
    }
  }

  #resume(): void {
    this.#paused = false
    try {
      this.#options.wire.resume()
    } catch (error) {
      return this.end(asChatError(error))
    }
    this.#readFrames()
  }
}

const isAnswer = ({ type }: Frame): boolean => type === FrameType.response || type === FrameType.error

/** Whatever a peer sent as an error; fields of other types are dropped by fromWire. */
const asWireError = (value: unknown): Partial<WireError> => (typeof value === 'object' && value !== null ? value : {})
