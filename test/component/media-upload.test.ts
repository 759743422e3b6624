// Attachments on three media homes by way of the quorum client: written, broken off anywhere and gone on with, read, refused.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ChatError } from '../../src/protocol/errors.ts'
import { mediaFinish, mediaPin, mediaRead, mediaStat, mediaWrite } from '../../src/protocol/rpc.ts'
import { bytesOf, idOf } from '../conformance/blobs.ts'
import { eventually } from '../eventually.ts'
import { bodyOf, codeOf, MediaWorld, USER } from './media-world.ts'

const KIB = 1024
const test = suite('uploads to media homes')
test.after.each(() => MediaWorld.endAll())

const offsetOf = async (world: MediaWorld, id: string): Promise<number> => (await world.gateway.stat(id))?.offset ?? 0

test('an upload is whole on its homes, and comes back in any range', async () => {
  const world = await MediaWorld.start()
  const bytes = bytesOf(900 * KIB + 3)
  const id = idOf(bytes)
  assert.is(await world.gateway.stat(id), undefined)
  assert.is(await codeOf(world.gateway.size(id)), 'BLOB_UNKNOWN')
  await world.upload(bytes)
  assert.equal(await world.gateway.stat(id), { size: bytes.length, offset: bytes.length, whole: true })
  await eventually(async () => (await world.copies(id)) === 3)
  assert.ok((await world.download(id)).equals(bytes))
  for (const [start, end] of [
    [5, 6],
    [256 * KIB - 1, 512 * KIB + 1],
    [bytes.length - 1, bytes.length],
    [70_000, bytes.length],
  ] as const) {
    assert.ok((await world.download(id, start, end)).equals(bytes.subarray(start, end)), `${start}-${end}`)
  }
  await world.upload(bytes)
})

test('broken off anywhere it goes on from what W homes have on disk', async () => {
  const world = await MediaWorld.start()
  for (const cuts of [
    [0],
    [1],
    [64 * KIB],
    [300 * KIB + 7, 400 * KIB],
    [600 * KIB, 600 * KIB, 899 * KIB],
    [900 * KIB],
  ]) {
    const bytes = bytesOf(900 * KIB + 100)
    let offset = 0
    for (const cut of cuts) {
      const body = bodyOf(bytes.subarray(offset), Math.max(0, cut - offset))
      assert.is(await codeOf(world.upload(bytes, { offset, body })), 'INTERNAL')
      assert.is(await world.copies(idOf(bytes)), 0)
      const now = await offsetOf(world, idOf(bytes))
      assert.ok(now >= offset && now <= cut, `${now} after a cut at ${cut}`)
      offset = now
    }
    await world.upload(bytes, { offset })
    assert.ok((await world.download(idOf(bytes))).equals(bytes))
  }
})

test('what homes confirmed survives the power cut of all of them', async () => {
  const world = await MediaWorld.start()
  const bytes = bytesOf(800 * KIB)
  await codeOf(world.upload(bytes, { body: bodyOf(bytes, 700 * KIB) }))
  const offset = await offsetOf(world, idOf(bytes))
  assert.ok(offset >= 600 * KIB, String(offset))
  for (const home of world.homes.values()) await home.crash()
  for (const home of world.homes.values()) await home.start()
  assert.is(await offsetOf(world, idOf(bytes)), offset)
  await world.upload(bytes, { offset })
  assert.ok((await world.download(idOf(bytes))).equals(bytes))
})

test('an offset that is not the confirmed one is told which is', async () => {
  const world = await MediaWorld.start()
  const bytes = bytesOf(600 * KIB)
  await codeOf(world.upload(bytes, { body: bodyOf(bytes, 300 * KIB) }))
  const confirmed = await offsetOf(world, idOf(bytes))
  for (const offset of [0, confirmed + 1, bytes.length]) {
    const error = await world.upload(bytes, { offset }).catch((thrown: unknown) => thrown)
    assert.ok(error instanceof ChatError && error.code === 'BLOB_INCOMPLETE', String(error))
    assert.is(error.details?.offset, confirmed)
  }
})

test('other bytes than announced are refused: hash, more, fewer, another size', async () => {
  const world = await MediaWorld.start()
  const bytes = bytesOf(300 * KIB)
  const other = bytesOf(300 * KIB)
  assert.is(await codeOf(world.upload(bytes, { body: bodyOf(other) })), 'BLOB_HASH')
  assert.is(await world.gateway.stat(idOf(bytes)), undefined)
  const more = bodyOf(Buffer.concat([bytes, Buffer.alloc(10)]))
  assert.is(await codeOf(world.upload(bytes, { body: more })), 'BLOB_HASH')
  const rest = await offsetOf(world, idOf(bytes))
  const fewer = bodyOf(bytes.subarray(rest, 290 * KIB))
  assert.is(await codeOf(world.upload(bytes, { offset: rest, body: fewer })), 'BLOB_INCOMPLETE')
  const size = bytes.length + 1
  const asked = { blob: idOf(bytes), user: USER, size, offset: 0, body: bodyOf(bytes) }
  assert.is(await codeOf(world.gateway.upload(asked)), 'BLOB_HASH')
  await world.upload(bytes, { offset: await offsetOf(world, idOf(bytes)) })
  assert.ok((await world.download(idOf(bytes))).equals(bytes))
})

test('a user’s uploads have an end, what was given up does not count, others go on', async () => {
  const world = await MediaWorld.start(['m1', 'm2', 'm3'], { quotaBytes: 500 * KIB })
  await world.upload(bytesOf(200 * KIB))
  const large = bytesOf(301 * KIB)
  assert.is(await codeOf(world.upload(large)), 'BLOB_QUOTA')
  await world.upload(large, { user: 'bob' })
  await world.upload(bytesOf(300 * KIB))
  assert.is(await codeOf(world.upload(bytesOf(1 * KIB))), 'BLOB_QUOTA')
})

test('uploads that begin at once share the quota like those that begin one after the other', async () => {
  const world = await MediaWorld.start(['m1'], { quotaBytes: 250 * KIB })
  await world.upload(bytesOf(1))
  const { promise, resolve } = Promise.withResolvers<void>()
  world.home('m1').fsync = promise
  const uploads = Array.from({ length: 6 }, () => codeOf(world.upload(bytesOf(100 * KIB))))
  setTimeout(() => resolve(), 200)
  const codes = await Promise.all(uploads)
  assert.equal(codes.toSorted(), [
    ...Array.from({ length: 4 }, () => 'BLOB_QUOTA'),
    ...Array.from({ length: 2 }, () => 'nothing thrown'),
  ])
  assert.is(world.home('m1').service.status().bytes, 200 * KIB + 1)
})

test('a home that is full, or goes away in the middle, delays nobody; two of three are too few', async () => {
  const world = await MediaWorld.start()
  world.home('m2').blobs.full = true
  const first = bytesOf(500 * KIB)
  await world.upload(first)
  assert.is(await world.copies(idOf(first)), 2)
  world.home('m2').blobs.full = false
  await eventually(async () => (await world.copies(idOf(first))) === 3)

  const second = bytesOf(1_500 * KIB)
  const dying = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of bodyOf(second)) {
      yield chunk
      if (world.network.isLinked('gw', 'm1')) await world.home('m1').crash()
    }
  }
  await world.upload(second, { body: dying() })
  assert.is(await world.copies(idOf(second)), 2)
  await world.home('m1').start()
  await eventually(async () => (await world.copies(idOf(second))) === 3)

  for (const name of ['m1', 'm2']) world.home(name).blobs.full = true
  assert.is(await codeOf(world.upload(bytesOf(100 * KIB))), 'BLOB_FULL')
  for (const name of ['m1', 'm2']) {
    world.home(name).blobs.full = false
    world.network.disconnect('gw', name)
  }
  assert.is(await codeOf(world.upload(bytesOf(100 * KIB))), 'QUORUM_UNAVAILABLE')
})

test('a slow home is left behind, and gets the blob later', async () => {
  const world = await MediaWorld.start()
  let isStuck = true
  world.network.filter = (_from, to, method) => !(isStuck && to === 'm3' && method === mediaWrite.name)
  const bytes = bytesOf(2_500 * KIB)
  await world.upload(bytes)
  isStuck = false
  await eventually(async () => (await world.copies(idOf(bytes))) === 3)
})

test('an id that is a path, and other nonsense, is refused by the home itself', async () => {
  const world = await MediaWorld.start()
  const { gatewayTransport: gateway } = world
  for (const blob of ['../../etc/passwd', '', `${idOf(bytesOf(1))}/..`, 'x'.repeat(64)]) {
    const announced = { epoch: 1, blob, user: USER, size: 10 }
    const pin = { epoch: 1, blob, size: 10, message: new Uint8Array(32), hour: 1 }
    for (const call of [
      gateway.call('m1', mediaWrite, { ...announced, offset: 0, bytes: new Uint8Array(10) }),
      gateway.call('m1', mediaFinish, announced),
      gateway.call('m1', mediaStat, { epoch: 1, blob }),
      gateway.call('m1', mediaRead, { blob, offset: 0, length: 10 }),
      gateway.call('m1', mediaPin, pin),
    ]) {
      assert.is(await codeOf(call), 'RPC_INVALID', blob)
    }
  }
  const announced = { epoch: 1, blob: idOf(bytesOf(1)), user: USER, size: 10 }
  assert.is(await codeOf(gateway.call('m1', mediaFinish, { ...announced, user: 'Not A Name' })), 'RPC_INVALID')
  assert.is(await codeOf(gateway.call('m1', mediaFinish, { ...announced, epoch: 0 })), 'EPOCH_STALE')
  const stranger = world.network.transport('stranger')
  world.network.connectAll()
  assert.is(await codeOf(stranger.call('m1', mediaFinish, announced)), 'PEER_DENIED')
  assert.is(await codeOf(world.network.transport('m2').call('m1', mediaFinish, announced)), 'PEER_DENIED')
})

test('a body that is not read to its end is let go of, so that its client can be answered', async () => {
  const world = await MediaWorld.start(['m1'], { quotaBytes: 100 * KIB })
  const bytes = bytesOf(2_000 * KIB)
  let isReleased = false
  const body = (async function* () {
    try {
      yield* bodyOf(bytes)
    } finally {
      isReleased = true
    }
  })()
  assert.is(await codeOf(world.upload(bytes, { body })), 'BLOB_QUOTA')
  await eventually(() => isReleased)
})

test.run()
