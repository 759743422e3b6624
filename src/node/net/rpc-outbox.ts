// What waits to be sent on one stream: frames of one turn of the loop leave as one chunk, and nothing is sent while the
// peer does not read. It counts bytes and knows how long it has been blocked; what to do about that is its owner's.
import { asChatError } from '../../protocol/errors.ts'
import type { Clock } from '../../platform/ports.ts'
import { type Frame, frameBytes, FrameType, headerOf, joinFrames } from './rpc-frames.ts'

/** One send: larger chunks save no more calls, and delay the first byte. */
const CHUNK_BYTES = 64 * 1024

export interface RpcOutboxOptions {
  clock: Clock
  /** False = wait for drained. May throw. */
  send: (chunk: Uint8Array) => boolean
  /** Called just before a frame is sent; false = it is not needed any more. */
  onSending: (frame: Frame) => boolean
  /** Called after each flush. */
  onFlushed: () => void
  onError: (error: Error) => void
}

export class RpcOutbox {
  readonly #options: RpcOutboxOptions
  #queue: Frame[] = []
  #isScheduled = false
  #isClosed = false
  /** Of everything that waits. */
  bytes = 0
  /** Of the answers among it. */
  answerBytes = 0
  /** Monotonic ms; undefined while the peer reads. */
  blockedSince: number | undefined
  sentAt: number

  constructor(options: RpcOutboxOptions) {
    this.#options = options
    this.sentAt = options.clock.monotonic()
  }

  add(frame: Frame): void {
    if (this.#isClosed) return
    this.#queue.push(frame)
    this.bytes += frameBytes(frame)
    if (isAnswer(frame)) this.answerBytes += frameBytes(frame)
    if (this.#isScheduled || this.blockedSince !== undefined) return
    this.#isScheduled = true
    setImmediate(() => this.flush())
  }

  drained(): void {
    this.blockedSince = undefined
    this.flush()
  }

  flush(): void {
    this.#isScheduled = false
    while (this.#queue.length > 0 && this.blockedSince === undefined) this.#send(this.#takeChunk())
    this.#options.onFlushed()
  }

  /** What still waits is dropped. */
  close(): void {
    this.#isClosed = true
    this.#queue = []
    this.bytes = this.answerBytes = 0
  }

  #send(frames: Frame[]): void {
    if (frames.length === 0) return
    try {
      this.sentAt = this.#options.clock.monotonic()
      for (const chunk of chunksOf(frames)) if (!this.#options.send(chunk)) this.blockedSince = this.sentAt
    } catch (error) {
      this.#options.onError(asChatError(error)) // libp2p throws when the stream closed a moment ago
    }
  }

  /** Up to 64 KiB, at least one frame. */
  #takeChunk(): Frame[] {
    let bytes = 0
    let count = 0
    for (const frame of this.#queue) {
      if (count > 0 && bytes + frameBytes(frame) > CHUNK_BYTES) break
      bytes += frameBytes(frame)
      count += 1
      if (isAnswer(frame)) this.answerBytes -= frameBytes(frame)
    }
    this.bytes -= bytes
    const taken = this.#queue.slice(0, count)
    this.#queue = count === this.#queue.length ? [] : this.#queue.slice(count)
    return taken.filter(this.#options.onSending)
  }
}

/**
 * Small frames in one piece; a large one, which is alone, in pieces of which the long one is sent from where it lies. What is sent while the
 * peer does not read is kept.
 */
const chunksOf = (frames: Frame[]): Uint8Array[] => {
  const [first] = frames
  if (first?.tail) return [joinFrames([first]), first.tail]
  const isLarge = first !== undefined && first.payload.length > CHUNK_BYTES
  return isLarge ? [headerOf(first), first.payload] : [joinFrames(frames)]
}

const isAnswer = ({ type }: Frame): boolean => type === FrameType.response || type === FrameType.error
