// Media homes over time: pins and what is collected, damage and repair, homes that die, lose their disks, join and leave.
// Invariant 10 of architecture.md: never a stored message without its blob.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ownedPin } from '../../src/node/media/pins.ts'
import { pinKey } from '../../src/node/media/rows.ts'
import { homeSet } from '../../src/protocol/cluster-map.ts'
import { limits } from '../../src/protocol/limits.ts'
import { hourOf } from '../../src/protocol/records.ts'
import {
  mediaFinish,
  mediaList,
  mediaPin,
  mediaRead,
  mediaState,
  mediaStat,
  mediaVerify,
  mediaWrite,
} from '../../src/protocol/rpc.ts'
import { bytesOf, idOf } from '../conformance/blobs.ts'
import { eventually } from '../eventually.ts'
import { codeOf, MediaWorld, PARTIES, USER } from './media-world.ts'

const KIB = 1024
const DAY_MS = 24 * 3_600_000
const test = suite('media homes')
test.after.each(() => MediaWorld.endAll())

let messages = 0
const nextMessage = (): Buffer => Buffer.alloc(32, (messages += 1))
const hourIn = (world: MediaWorld, ms: number): number => hourOf(world.clock.now() + ms)

const uploaded = async (world: MediaWorld, length = 100 * KIB): Promise<Buffer> => {
  const bytes = bytesOf(length)
  await world.upload(bytes)
  await eventually(async () => (await world.copies(idOf(bytes))) >= Math.min(3, world.homes.size))
  return bytes
}
const pinFor = (world: MediaWorld, bytes: Uint8Array, ms: number, message = nextMessage()): Promise<void> =>
  world.gateway.pin({ blob: idOf(bytes), size: bytes.length, message, parties: PARTIES, hour: hourIn(world, ms) })

/** Pins of a blob on a home. */
const pinsAt = async (world: MediaWorld, name: string, id: string): Promise<number> => {
  const shard = Number.parseInt(id.slice(0, 2), 16)
  const { epoch } = world.map
  const { entries } = await world.network.transport(name).call(name, mediaList, { epoch, shard })
  return entries.find(({ blob }) => blob === id)?.owned?.length ?? 0
}
const stateOf = (world: MediaWorld, name: string) =>
  world.network.transport(name).call(name, mediaState, { epoch: world.map.epoch })
const isEverybodyUp = async (world: MediaWorld): Promise<boolean> => {
  const states = await Promise.all([...world.homes.keys()].map((name) => stateOf(world, name)))
  return states.every(({ state }) => state === 'up')
}
/** Long enough for a few turns of the collector, which are 20 ms apart here; what must not happen cannot be waited for. */
const someTurns = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 150))

test('only what W homes hold whole, in this size, can be pinned', async () => {
  const world = await MediaWorld.start()
  const bytes = bytesOf(100 * KIB)
  assert.is(await codeOf(pinFor(world, bytes, DAY_MS)), 'BLOB_UNKNOWN')
  await world.upload(bytes)
  const pin = { blob: idOf(bytes), message: nextMessage(), parties: PARTIES, hour: hourIn(world, DAY_MS) }
  assert.is(await codeOf(world.gateway.pin({ ...pin, size: bytes.length - 1 })), 'BLOB_UNKNOWN')
  await world.gateway.pin({ ...pin, size: bytes.length })
  await world.gateway.pin({ ...pin, size: bytes.length })
  for (const name of ['m1', 'm2']) world.network.disconnect('gw', name)
  assert.is(await codeOf(pinFor(world, bytes, DAY_MS)), 'QUORUM_UNAVAILABLE')
})

test('what came in whole and found no room for its row is no rest of an upload once it is pinned', async () => {
  const world = await MediaWorld.start(['m1'])
  const bytes = bytesOf(100 * KIB)
  const id = idOf(bytes)
  const blob = await world.home('m1').blobs.begin(id, bytes.length)
  await blob.append(bytes)
  await blob.finish()
  await pinFor(world, bytes, DAY_MS)
  const { epoch } = world.map
  const shard = Number.parseInt(id.slice(0, 2), 16)
  const { entries } = await world.network.transport('m1').call('m1', mediaList, { epoch, shard })
  const entry = entries.find((each) => each.blob === id)
  assert.equal([entry?.whole?.size, entry?.owned?.length], [bytes.length, 1])
})

test('who announced a blob pays for it, though it found no room for its row', async () => {
  const world = await MediaWorld.start(['m1'])
  const bytes = bytesOf(100 * KIB)
  const { epoch } = world.map
  const announced = { epoch, blob: idOf(bytes), user: USER, size: bytes.length }
  await world.gatewayTransport.call('m1', mediaWrite, { ...announced, offset: 0, bytes })
  world.home('m1').disk.failNextBatch()
  assert.is(await codeOf(world.gatewayTransport.call('m1', mediaFinish, announced)), 'BLOB_FULL')
  await eventually(async () => (await codeOf(pinFor(world, bytes, DAY_MS))) === 'nothing thrown')
  const shard = Number.parseInt(announced.blob.slice(0, 2), 16)
  const { entries } = await world.network.transport('m1').call('m1', mediaList, { epoch, shard })
  assert.is(entries.find(({ blob }) => blob === announced.blob)?.whole?.user, USER)
})

test('without a pin a blob goes after a day, with one when its last message has expired', async () => {
  const world = await MediaWorld.start()
  const [loose, kept, twice] = [await uploaded(world), await uploaded(world), await uploaded(world)]
  await pinFor(world, kept, 3 * DAY_MS)
  await pinFor(world, twice, 3 * DAY_MS)
  await pinFor(world, twice, 6 * DAY_MS)
  await eventually(() => isEverybodyUp(world))
  world.laterMs = limits.unpinnedBlobMs - 60_000
  await someTurns()
  assert.is(await world.copies(idOf(loose)), 3)
  world.laterMs = limits.unpinnedBlobMs + 60_000
  await eventually(async () => (await world.copies(idOf(loose))) === 0)
  assert.is(await codeOf(pinFor(world, loose, DAY_MS)), 'BLOB_UNKNOWN')
  world.laterMs = 4 * DAY_MS
  await eventually(async () => (await world.copies(idOf(kept))) === 0)
  await someTurns()
  assert.is(await world.copies(idOf(twice)), 3)
  await pinFor(world, twice, 6 * DAY_MS) // a message that was forwarded late
  world.laterMs = 7 * DAY_MS
  await someTurns()
  assert.is(await world.copies(idOf(twice)), 3)
  world.laterMs = 11 * DAY_MS
  await eventually(async () => (await world.copies(idOf(twice))) === 0)
  for (const name of world.homes.keys()) assert.is((await stateOf(world, name)).blobs, 0)
})

test('an upload that came again is kept for another day', async () => {
  const world = await MediaWorld.start()
  const bytes = await uploaded(world)
  world.laterMs = limits.unpinnedBlobMs - 60_000
  await world.upload(bytes)
  world.laterMs = limits.unpinnedBlobMs + 60_000
  await someTurns()
  assert.is(await world.copies(idOf(bytes)), 3)
})

test('where a pin may be missing nothing is collected', async () => {
  const world = await MediaWorld.start()
  const bytes = await uploaded(world)
  await eventually(() => isEverybodyUp(world))
  // m3 knows of no pin, and cannot hear of it.
  world.network.isolate('m3')
  await pinFor(world, bytes, 9 * DAY_MS)
  await world.home('m3').crash()
  await world.home('m3').start()
  world.network.isolate('m3')
  world.laterMs = 2 * DAY_MS
  await someTurns()
  assert.ok(await world.home('m3').has(idOf(bytes)))
  world.network.connectAll()
  await eventually(async () => (await pinsAt(world, 'm3', idOf(bytes))) === 1)
  await someTurns()
  assert.is(await world.copies(idOf(bytes)), 3)
})

test('crashes in the middle of collecting and pinning leave no pinned message without its blob', async () => {
  const world = await MediaWorld.start()
  await eventually(() => isEverybodyUp(world))
  for (let round = 0; round < 8; round++) {
    const blobs = await Promise.all(Array.from({ length: 6 }, () => uploaded(world, 10 * KIB)))
    world.laterMs += 2 * DAY_MS
    const pinned: Buffer[] = []
    const pinning = blobs.map(async (bytes, index) => {
      await new Promise((resolve) => setTimeout(resolve, index * 5))
      const result = await codeOf(pinFor(world, bytes, 100 * DAY_MS))
      if (result === 'nothing thrown') pinned.push(bytes)
    })
    const victim = world.home(['m1', 'm2', 'm3'][round % 3] ?? 'm1')
    await new Promise((resolve) => setTimeout(resolve, round * 3))
    await victim.crash()
    await Promise.all(pinning)
    await victim.start()
    await eventually(() => isEverybodyUp(world))
    await someTurns()
    for (const bytes of pinned) {
      assert.ok((await world.download(idOf(bytes))).equals(bytes))
      await eventually(async () => (await world.copies(idOf(bytes))) === 3)
    }
  }
})

test('a damaged piece on one home is served by another, and made whole again', async () => {
  const world = await MediaWorld.start()
  const bytes = await uploaded(world, 700 * KIB)
  for (const home of world.homes.values()) {
    home.blobs.damage(idOf(bytes), 300 * KIB)
    assert.ok((await world.download(idOf(bytes))).equals(bytes))
    const isWhole = async (): Promise<boolean> =>
      Buffer.from((await home.blobs.read(idOf(bytes), 0, bytes.length)) ?? []).equals(bytes)
    await eventually(async () => {
      // Whoever reads it there finds the damage; gateways begin with another home.
      const asked = { blob: idOf(bytes), offset: 256 * KIB, length: 256 * KIB }
      await world.gatewayTransport.call(home.name, mediaRead, asked).catch(() => {})
      return isWhole()
    })
  }
})

test('downloads are spread over the homes, each from one, and a home that fails one is asked no more', async () => {
  for (const names of [
    ['m1', 'm2'],
    ['m1', 'm2', 'm3'],
  ]) {
    const world = await MediaWorld.start(names)
    const bytes = await uploaded(world, 1_500 * KIB)
    await eventually(async () => (await world.copies(idOf(bytes))) === names.length)
    let asked: string[] = []
    world.network.filter = (from, to, method) => {
      if (method === mediaRead.name && from === 'gw') asked.push(to)
      return true
    }
    const served = new Set<string | undefined>()
    for (const name of names) {
      asked = []
      assert.ok((await world.download(idOf(bytes))).equals(bytes), name)
      const [, ...pieces] = asked // first the size
      assert.is(new Set(pieces).size, 1)
      served.add(pieces[0])
    }
    assert.is(served.size, names.length)

    world.home('m1').blobs.damage(idOf(bytes), 10)
    for (const name of names) {
      asked = []
      assert.ok((await world.download(idOf(bytes))).equals(bytes), name)
      // Pieces that were asked for before the failure was known; there are six.
      if (asked[1] === 'm1') assert.ok(asked.filter((one) => one === 'm1').length < 6)
    }
  }
})

test('what a check finds damaged or gone is fetched again, though nobody reads it', async () => {
  const world = await MediaWorld.start()
  const [damaged, gone] = [await uploaded(world), await uploaded(world)]
  await pinFor(world, damaged, 9 * DAY_MS)
  await pinFor(world, gone, 9 * DAY_MS)
  const verified = async (bytes: Uint8Array): Promise<boolean> =>
    (await world.network.transport('m1').call('m1', mediaVerify, { blob: idOf(bytes) })).size === bytes.length
  world.home('m1').blobs.damage(idOf(damaged), 70 * KIB)
  await world.home('m1').blobs.remove(idOf(gone))
  for (const bytes of [damaged, gone]) {
    assert.not(await verified(bytes))
    await eventually(() => verified(bytes))
  }
})

test('all homes damaged in the same place serve nothing wrong', async () => {
  const world = await MediaWorld.start()
  const bytes = await uploaded(world, 300 * KIB)
  for (const home of world.homes.values()) home.blobs.damage(idOf(bytes), 10)
  assert.is(await codeOf(world.download(idOf(bytes))), 'BLOB_UNKNOWN')
  assert.ok((await world.download(idOf(bytes), 256 * KIB)).equals(bytes.subarray(256 * KIB)))
})

test('a home with an empty disk is syncing until it has blobs and pins of the others', async () => {
  const world = await MediaWorld.start()
  const blobs = [await uploaded(world, 300 * KIB), await uploaded(world), await uploaded(world)]
  for (const bytes of blobs) await pinFor(world, bytes, 9 * DAY_MS)
  await eventually(() => isEverybodyUp(world))
  const home = world.home('m2')
  await home.crash()
  home.disk.wipe()
  home.blobs.wipe()
  await home.start()
  await eventually(async () => (await stateOf(world, 'm2')).state === 'up')
  for (const bytes of blobs) {
    assert.ok(await home.has(idOf(bytes)))
    assert.is(await pinsAt(world, 'm2', idOf(bytes)), 1)
  }
})

test('pins that a disk lost silently are missed at the next start, and read back', async () => {
  const world = await MediaWorld.start()
  const bytes = await uploaded(world)
  const message = nextMessage()
  await pinFor(world, bytes, 9 * DAY_MS, message)
  await eventually(() => isEverybodyUp(world))
  await eventually(async () => (await pinsAt(world, 'm1', idOf(bytes))) === 1)
  const home = world.home('m1')
  await home.stop()
  home.disk.tamper('media', (data) =>
    data.apply([{ key: pinKey(idOf(bytes), ownedPin(message, PARTIES)), value: undefined }]),
  )
  world.network.isolate('m1')
  await home.start()
  world.network.isolate('m1')
  assert.is((await stateOf(world, 'm1')).state, 'syncing')
  world.network.connectAll()
  await eventually(async () => (await stateOf(world, 'm1')).state === 'up')
  assert.is(await pinsAt(world, 'm1', idOf(bytes)), 1)
})

test('a database that failed is opened again; what was promised before is there', async () => {
  const world = await MediaWorld.start()
  const bytes = await uploaded(world)
  await pinFor(world, bytes, 9 * DAY_MS)
  await eventually(() => isEverybodyUp(world))
  for (const home of world.homes.values()) home.disk.full = true
  assert.is(await codeOf(pinFor(world, bytes, 9 * DAY_MS)), 'BLOB_FULL')
  assert.is(await codeOf(world.upload(bytesOf(10 * KIB))), 'BLOB_FULL')
  assert.ok((await world.download(idOf(bytes))).equals(bytes))
  for (const home of world.homes.values()) home.disk.full = false
  await eventually(async () => (await codeOf(pinFor(world, bytes, 9 * DAY_MS))) === 'nothing thrown')
  // The third may still be opening its own.
  for (const name of world.homes.keys()) await eventually(async () => (await pinsAt(world, name, idOf(bytes))) >= 1)
})

test('homes change by a joint epoch: nothing counts before the new ones have it, the old ones let go afterwards', async () => {
  const world = await MediaWorld.start(['m1'])
  const bytes = await uploaded(world, 200 * KIB)
  await pinFor(world, bytes, 9 * DAY_MS)
  for (const name of ['n1', 'n2', 'n3']) await world.add(name)
  const [current, next] = [homeSet(['m1']), homeSet(['n1', 'n2', 'n3'])]
  world.publish({ media: { current, next } })
  const { epoch } = world.map
  const isReconciled = async (name: string): Promise<boolean> => (await stateOf(world, name)).reconciled >= epoch
  for (const name of ['n1', 'n2', 'n3']) await eventually(() => isReconciled(name))
  for (const name of ['n1', 'n2', 'n3']) assert.is(await pinsAt(world, name, idOf(bytes)), 1)
  // Two of the new ones away: W of the new set cannot be had.
  for (const name of ['n1', 'n2']) world.network.disconnect('gw', name)
  assert.is(await codeOf(pinFor(world, bytes, 9 * DAY_MS)), 'QUORUM_UNAVAILABLE')
  world.network.connectAll()
  await pinFor(world, bytes, 9 * DAY_MS)
  world.publish({ media: { current: next } })
  const old = { epoch, blob: idOf(bytes), size: bytes.length, message: nextMessage(), hour: hourIn(world, DAY_MS) }
  assert.is(await codeOf(world.gatewayTransport.call('n1', mediaPin, old)), 'EPOCH_STALE')
  assert.is(await codeOf(world.gatewayTransport.call('n1', mediaStat, { ...old, epoch: epoch + 2 })), 'EPOCH_AHEAD')
  assert.ok((await world.download(idOf(bytes))).equals(bytes))
  await eventually(async () => !(await world.home('m1').has(idOf(bytes))))
  assert.is(await world.copies(idOf(bytes)), 3)
  assert.ok((await world.download(idOf(bytes))).equals(bytes))
})

test.run()
