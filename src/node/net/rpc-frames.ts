// The frames on a stream between two peers: u32 length of what follows, u8 type, u32 request id, u16 method, then msgpack.
// A pure byte machine: frames in, one chunk out; chunks in, frames out. Numbers are on the wire and append-only.
import { Packr } from 'msgpackr'
import { asBuffer } from '../../protocol/bytes.ts'
import { ChatError } from '../../protocol/errors.ts'
import { limits } from '../../protocol/limits.ts'

export const FrameType = { request: 1, response: 2, error: 3, notice: 4, heartbeat: 5 } as const
const HEADER_BYTES = 11
const LENGTH_BYTES = 4
const nothing = new Uint8Array(0)

export interface Frame {
  type: number
  /** Chosen by the caller, echoed by the answer; 0 for notices and heartbeats. */
  id: number
  /** Number of the method, see protocol/rpc.ts. */
  method: number
  payload: Uint8Array
  /** The last bytes of what is sent, which lie somewhere else than the payload. A frame that arrived has all in its payload. */
  tail?: Uint8Array
}
/** A byte string of this length costs less where it lies than copied. */
const TAIL_BYTES = 64 * 1024
/** How msgpack begins a byte string: an empty one, and one whose length has four bytes. */
const EMPTY_BYTES = 2
const LONG_BYTES = 0xc6

// Plain objects without shared structures: both ends need no common state, and a frame can be read alone.
const packr = new Packr({ useRecords: false, variableMapSize: true })

/** undefined is no bytes at all. RPC_INVALID when it would not fit into a frame. */
export const encodePayload = (value: unknown): Uint8Array => {
  if (value === undefined) return nothing
  const payload = packr.pack(value)
  assertFits(payload.length)
  return payload
}

/**
 * The same bytes, of which a long byte string that is a field of `value` is the last and not copied: it must not change until the answer
 * came. RPC_INVALID.
 */
export const encodeParts = (value: unknown): Pick<Frame, 'payload' | 'tail'> => {
  const name = longField(value)
  if (name === undefined) return { payload: encodePayload(value) }
  const { [name]: tail = nothing, ...rest } = value as Record<string, Uint8Array> // it has that field
  const packed = packr.pack({ ...rest, [name]: nothing })
  const start = packed.length - EMPTY_BYTES
  const payload = Buffer.allocUnsafe(start + 1 + LENGTH_BYTES)
  packed.copy(payload, 0, 0, start)
  payload.writeUInt32BE(tail.length, payload.writeUInt8(LONG_BYTES, start))
  assertFits(payload.length + tail.length)
  return { payload, tail }
}

const longField = (value: unknown): string | undefined => {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return undefined
  return Object.keys(value).find((name) => {
    const field: unknown = value[name as keyof typeof value]
    return field instanceof Uint8Array && field.length >= TAIL_BYTES
  })
}

const assertFits = (bytes: number): void => {
  if (bytes <= limits.maxPeerFrameBytes - HEADER_BYTES) return
  throw new ChatError('RPC_INVALID', { message: `A frame of ${bytes} bytes is more than a peer takes` })
}

/** Byte strings in the result are slices of `payload`: who keeps them for long copies them. RPC_INVALID. */
export const decodePayload = (payload: Uint8Array): unknown => {
  if (payload.length === 0) return undefined
  try {
    const value: unknown = packr.unpack(payload)
    return value
  } catch (cause) {
    throw new ChatError('RPC_INVALID', { cause })
  }
}

/** Of what a frame carries. */
export const carriedBytes = ({ payload, tail }: Pick<Frame, 'payload' | 'tail'>): number =>
  payload.length + (tail?.length ?? 0)

export const frameBytes = (frame: Frame): number => HEADER_BYTES + carriedBytes(frame)

/** All frames in one chunk, ready to be sent at once; tails follow by themselves. */
export const joinFrames = (frames: Frame[]): Buffer => {
  let bytes = 0
  for (const { payload } of frames) bytes += HEADER_BYTES + payload.length
  const chunk = Buffer.allocUnsafe(bytes)
  let at = 0
  for (const frame of frames) {
    at = writeHeader(chunk, at, frame)
    chunk.set(frame.payload, at)
    at += frame.payload.length
  }
  return chunk
}

/** A frame whose payload follows by itself: a large one is not copied once more. */
export const headerOf = (frame: Frame): Buffer => {
  const header = Buffer.allocUnsafe(HEADER_BYTES)
  writeHeader(header, 0, frame)
  return header
}

const writeHeader = (chunk: Buffer, start: number, frame: Frame): number => {
  let at = chunk.writeUInt32BE(frameBytes(frame) - LENGTH_BYTES, start)
  at = chunk.writeUInt8(frame.type, at)
  at = chunk.writeUInt32BE(frame.id, at)
  return chunk.writeUInt16BE(frame.method, at)
}

/** Cuts a stream of bytes into frames; joins the pieces of a frame once, when it is whole. What follows a frame stays where it lies. */
export class FrameReader {
  readonly #chunks: Buffer[] = []
  #bytes = 0
  #needed = LENGTH_BYTES

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return
    this.#chunks.push(asBuffer(chunk))
    this.#bytes += chunk.length
  }

  /** The next whole frame, if there is one. RPC_INVALID when the stream makes no sense: it cannot be read any further. */
  next(): Frame | undefined {
    if (this.#bytes < this.#needed) return undefined
    const length = this.#length()
    if (length < HEADER_BYTES - LENGTH_BYTES || length > limits.maxPeerFrameBytes) {
      throw new ChatError('RPC_INVALID', { message: `A frame of ${length} bytes cannot be` })
    }
    const end = LENGTH_BYTES + length
    if (this.#bytes < end) {
      this.#needed = end
      return undefined
    }
    const buffer = this.#take(end)
    return {
      type: buffer.readUInt8(4),
      id: buffer.readUInt32BE(5),
      method: buffer.readUInt16BE(9),
      payload: buffer.subarray(HEADER_BYTES),
    }
  }

  /** Of the frame that begins here; its bytes may lie in as many chunks. */
  #length(): number {
    const [first = nothing] = this.#chunks
    const buffer = first.length < LENGTH_BYTES ? Buffer.concat(this.#chunks.slice(0, LENGTH_BYTES)) : asBuffer(first)
    return buffer.readUInt32BE(0)
  }

  #take(bytes: number): Buffer {
    this.#bytes -= bytes
    this.#needed = LENGTH_BYTES
    const pieces: Buffer[] = []
    for (let left = bytes; left > 0; ) {
      const [chunk] = this.#chunks
      if (!chunk) break
      pieces.push(chunk.subarray(0, left))
      if (chunk.length > left) this.#chunks[0] = chunk.subarray(left)
      else this.#chunks.shift()
      left -= chunk.length
    }
    const [only] = pieces
    return only && pieces.length === 1 ? only : Buffer.concat(pieces, bytes)
  }
}
