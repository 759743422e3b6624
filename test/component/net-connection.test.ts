// Connections of the libp2p that is installed do what peer-connection.ts asks of them: a version that is built otherwise is seen here.
import { Socket } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { noiseCrypto } from '../../src/node/net/peer-noise.ts'
import { mediaRead } from '../../src/protocol/rpc.ts'
import { eventually } from '../eventually.ts'
import { areConnected, startTestCluster } from '../net-nodes.ts'

const test = suite('connections of peers')
const PIECE_BYTES = 256 * 1024
/** Of noise, for the piece. */
const MESSAGES = 4
const LONG_BYTES = 32 * 1024

/** What node streams have inside: several writes at once. */
type Writev = (chunks: { chunk: Uint8Array }[], done: (error?: Error | null) => void) => void

test('a long message leaves in one write, and is opened without a place for the result', async () => {
  const written: number[] = []
  const places: unknown[] = []
  const prototype = Socket.prototype as unknown as { _writev: Writev }
  const { _writev: writev } = prototype
  const before = { ...noiseCrypto }
  prototype._writev = function (this: Socket, chunks, done) {
    if (chunks.some(({ chunk }) => chunk.length > LONG_BYTES)) written.push(chunks.length)
    writev.call(this, chunks, done)
  }
  noiseCrypto.chaCha20Poly1305Decrypt = (sealed, nonce, ad, key, place) => {
    if (sealed.byteLength > LONG_BYTES) places.push(place)
    return before.chaCha20Poly1305Decrypt(sealed, nonce, ad, key, place)
  }
  const nodes = await startTestCluster([1, 2])
  try {
    const [asks, has] = nodes
    if (!asks || !has) throw new Error('two were started')
    await eventually(() => areConnected(nodes))
    const bytes = Buffer.alloc(PIECE_BYTES, 7)
    has.transport.handle(mediaRead, () => Promise.resolve({ size: bytes.length, bytes }))
    const request = { blob: 'b'.repeat(64), offset: 0, length: PIECE_BYTES }
    const answer = await asks.transport.call(has.peer, mediaRead, request)
    assert.ok(bytes.equals(answer.bytes))
  } finally {
    prototype._writev = writev
    Object.assign(noiseCrypto, before)
    for (const node of nodes) await node.stop()
  }
  assert.ok(places.length >= MESSAGES && places.every((place) => place === undefined), 'opened in place')
  const pieces = written.reduce((sum, chunks) => sum + chunks, 0)
  assert.ok(pieces >= MESSAGES * 3 && written.length <= MESSAGES, `pieces in each write: ${written.join(' ')}`)
})

test.run()
