// Frames between peers: whatever way the bytes are cut, the same frames come out; nonsense is refused.
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  decodePayload,
  encodeParts,
  encodePayload,
  type Frame,
  FrameReader,
  joinFrames,
} from '../../src/node/net/rpc-frames.ts'
import { hasCode } from '../../src/protocol/errors.ts'
import { limits } from '../../src/protocol/limits.ts'

const test = suite('rpc frames')

const frames = fc.array(
  fc.record({
    type: fc.integer({ min: 1, max: 5 }),
    id: fc.integer({ min: 0, max: 0xffffffff }),
    method: fc.integer({ min: 0, max: 0xffff }),
    payload: fc.uint8Array({ maxLength: 300 }),
  }),
  { maxLength: 20 },
)
const plain = ({ type, id, method, payload }: Frame): unknown => ({ type, id, method, payload: [...payload] })

const readAll = (chunks: Uint8Array[]): Frame[] => {
  const reader = new FrameReader()
  const found: Frame[] = []
  for (const chunk of chunks) {
    reader.push(chunk)
    for (let frame = reader.next(); frame; frame = reader.next()) found.push(frame)
  }
  return found
}

const cutAt = (bytes: Uint8Array, places: number[]): Uint8Array[] => {
  const cuts = [0, ...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  return cuts.slice(1).map((end, i) => bytes.subarray(cuts[i], end))
}

test('the same frames come out however the bytes are cut', () => {
  fc.assert(
    fc.property(frames, fc.array(fc.nat()), (sent, places) => {
      assert.equal(readAll(cutAt(joinFrames(sent), places)).map(plain), sent.map(plain))
    }),
  )
})

test('a frame of the greatest size arrives in small pieces', () => {
  const payload = Buffer.alloc(limits.maxPeerFrameBytes - 11, 7)
  const chunk = joinFrames([{ type: 1, id: 1, method: 1, payload }])
  const pieces = Array.from({ length: Math.ceil(chunk.length / 1_400) }, (_, i) =>
    chunk.subarray(i * 1_400, (i + 1) * 1_400),
  )
  assert.is(readAll(pieces)[0]?.payload.length, payload.length)
})

for (const length of [0, 6, limits.maxPeerFrameBytes + 1, 0xffffffff]) {
  test(`a length of ${length} is refused`, () => {
    const chunk = Buffer.alloc(16)
    chunk.writeUInt32BE(length)
    assert.throws(
      () => readAll([chunk]),
      (error: unknown) => hasCode(error, 'RPC_INVALID'),
    )
  })
}

test('payloads keep their shapes: bytes, big numbers, null, nesting, and nothing at all', () => {
  const value = {
    bytes: Uint8Array.of(1, 2, 3),
    at: 1_790_000_000_123,
    none: null,
    list: [{ a: [] }],
    text: 'ü',
    float: 0.5,
  }
  const { bytes, ...rest } = decodePayload(encodePayload(value)) as typeof value // what was just encoded
  assert.equal([...bytes], [1, 2, 3])
  assert.equal(rest, { at: value.at, none: null, list: [{ a: [] }], text: 'ü', float: 0.5 })
  assert.is(decodePayload(encodePayload(undefined)), undefined)
  const { absent } = decodePayload(encodePayload({ absent: undefined })) as { absent?: unknown } // an object
  assert.is(absent, undefined)
})

for (const length of [64 * 1024 - 1, 64 * 1024, 256 * 1024]) {
  test(`${length} bytes in a field arrive as they were, among others`, () => {
    const bytes = Buffer.alloc(length, 7)
    const { payload, tail } = encodeParts({ epoch: 3, bytes, offset: 70_000 })
    assert.is(tail, length < 64 * 1024 ? undefined : bytes)
    const chunks = [
      joinFrames([{ type: 1, id: 1, method: 90, payload, ...(tail ? { tail } : {}) }]),
      ...(tail ? [tail] : []),
    ]
    const [frame, ...others] = readAll([
      ...chunks,
      joinFrames([{ type: 5, id: 0, method: 0, payload: new Uint8Array(0) }]),
    ])
    const decoded = decodePayload(frame?.payload ?? new Uint8Array(0)) as { bytes: Buffer } // what was just encoded
    assert.equal({ ...decoded, bytes: bytes.equals(decoded.bytes) }, { epoch: 3, offset: 70_000, bytes: true })
    assert.is(others[0]?.type, 5)
  })
}

test('what was encoded before is not overwritten by what is encoded after', () => {
  const payloads = Array.from({ length: 2_000 }, (_, i) => encodePayload({ i, pad: 'x'.repeat(i % 50) }))
  assert.equal(
    payloads.map((payload) => (decodePayload(payload) as { i: number }).i), // what was just encoded
    payloads.map((_, i) => i),
  )
})

test('a payload above the limit and a payload of nonsense are refused', () => {
  const isInvalid = (error: unknown): boolean => hasCode(error, 'RPC_INVALID')
  assert.throws(() => encodePayload(Buffer.alloc(limits.maxPeerFrameBytes)), isInvalid)
  assert.throws(() => encodeParts({ bytes: Buffer.alloc(limits.maxPeerFrameBytes) }), isInvalid)
  assert.throws(() => decodePayload(Uint8Array.of(0xde, 0xff)), isInvalid)
})

test('a peer cannot reach prototypes', () => {
  const evil = Buffer.from([0x81, 0xa9, ...Buffer.from('__proto__'), 0x81, 0xa5, ...Buffer.from('admin'), 0xc3])
  const decoded = decodePayload(evil) as Record<string, unknown> // an object, whatever is in it
  assert.is(decoded['admin'], undefined)
  assert.is(({} as Record<string, unknown>)['admin'], undefined) // any object
})

test.run()
