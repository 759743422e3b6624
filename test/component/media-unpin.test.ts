// Pins that end because the author deleted the message: whose word ends one, what stays, and that nothing brings it back.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ownedPin } from '../../src/node/media/pins.ts'
import { hourKey, hourValue, pinKey, pinValue } from '../../src/node/media/rows.ts'
import type { Deletion } from '../../src/protocol/deletion.ts'
import { ChatError } from '../../src/protocol/errors.ts'
import { limits } from '../../src/protocol/limits.ts'
import { hourOf } from '../../src/protocol/records.ts'
import { mediaDigests, type MediaEntry, mediaList, mediaPin, mediaState, mediaUnpin } from '../../src/protocol/rpc.ts'
import { bytesOf, idOf } from '../conformance/blobs.ts'
import { eventually } from '../eventually.ts'
import { codeOf, deletionOf, deviceOf, type Forgery, MediaWorld, PARTIES, USER } from './media-world.ts'

const KIB = 1024
const DAY_MS = 24 * 3_600_000
const HOMES = ['m1', 'm2', 'm3']
const test = suite('media unpin')
test.after.each(() => MediaWorld.endAll())

let messages = 0
const nextMessage = (): Buffer => {
  const message = Buffer.alloc(32)
  message.writeUInt32BE((messages += 1))
  return message
}
interface Sent {
  bytes: Buffer
  blob: string
  message: Buffer
}
const sent = async (world: MediaWorld, bytes = bytesOf(100 * KIB)): Promise<Sent> => {
  await world.upload(bytes)
  await eventually(async () => (await world.copies(idOf(bytes))) === world.homes.size)
  const message = nextMessage()
  await pinned(world, { bytes, message })
  return { bytes, blob: idOf(bytes), message }
}
const pinned = (
  world: MediaWorld,
  { bytes, message }: Pick<Sent, 'bytes' | 'message'>,
  ms = 9 * DAY_MS,
): Promise<void> => {
  const hour = hourOf(world.clock.now() + ms)
  return world.gateway.pin({ blob: idOf(bytes), size: bytes.length, message, parties: PARTIES, hour })
}
const entryAt = async (world: MediaWorld, name: string, blob: string): Promise<MediaEntry | undefined> => {
  const shard = Number.parseInt(blob.slice(0, 2), 16)
  const { entries } = await world.network.transport(name).call(name, mediaList, { epoch: world.map.epoch, shard })
  return entries.find((entry) => entry.blob === blob)
}
/** `live/ended` pins at each home. */
const pinsOf = async (world: MediaWorld, blob: string): Promise<string> => {
  const entries = await Promise.all([...world.homes.keys()].map((name) => entryAt(world, name, blob)))
  return entries.map((entry) => `${entry?.owned?.length ?? 0}/${entry?.ended?.length ?? 0}`).join(' ')
}
const isEverybodyUp = async (world: MediaWorld): Promise<boolean> => {
  const { epoch } = world.map
  const ask = (name: string) => world.network.transport(name).call(name, mediaState, { epoch })
  return (await Promise.all([...world.homes.keys()].map(ask))).every(({ state }) => state === 'up')
}
/** Long enough for a few turns of the collector and of repair, which are 20 ms apart here; what must not happen cannot be waited for. */
const someTurns = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 150))

test('a deleted message lets its attachment go, which frees the quota; another message that has it keeps it', async () => {
  const world = await MediaWorld.start(HOMES, { quotaBytes: 250 * KIB })
  const [gone, kept] = [await sent(world), await sent(world)]
  const forwarded = nextMessage()
  await pinned(world, { bytes: kept.bytes, message: forwarded })
  await eventually(() => isEverybodyUp(world))
  world.laterMs = 2 * DAY_MS
  await someTurns()
  assert.is(await world.copies(gone.blob), 3)
  const more = bytesOf(100 * KIB)
  assert.is(await codeOf(world.upload(more)), 'BLOB_QUOTA')
  for (const { blob, message } of [gone, kept]) await world.gateway.unpin({ blob, ...deletionOf(message) })
  await eventually(async () => (await world.copies(gone.blob)) === 0)
  assert.is(await codeOf(world.download(gone.blob)), 'BLOB_UNKNOWN')
  await eventually(async () => (await codeOf(world.upload(more))) === 'nothing thrown')
  await someTurns()
  assert.is(await pinsOf(world, kept.blob), '1/1 1/1 1/1')
  assert.ok((await world.download(kept.blob)).equals(kept.bytes))
  await world.gateway.unpin({ blob: kept.blob, ...deletionOf(forwarded) })
  await eventually(async () => (await world.copies(kept.blob)) === 0)
})

const FORGERIES: [what: string, forgery: Forgery, expected: string][] = [
  ['of another user', { from: 'mallory' }, 'false'],
  ['out of the own mailbox only', { to: USER }, 'false'],
  ['to somebody else', { to: 'carol' }, 'false'],
  ['in the name of the author', { signer: 'mallory' }, 'AUTH_SIGNATURE'],
  [
    'by a device that is certified for nobody',
    { signer: 'mallory', certified: 'mallory', issuer: 'mallory' },
    'AUTH_SIGNATURE',
  ],
  ['signed with another key', { certified: 'mallory' }, 'AUTH_SIGNATURE'],
  ['signed after the certificate was over', { exp: Date.now() - limits.maxAheadMs - 60_000 }, 'AUTH_EXPIRED'],
]
for (const [what, forgery, expected] of FORGERIES) {
  test(`no deletion ${what} ends a pin: ${expected}`, async () => {
    const world = await MediaWorld.start(['m1'])
    const { blob, message } = await sent(world)
    assert.is(await unpinned(world, blob, deletionOf(message, forgery)), expected)
    assert.is(await pinsOf(world, blob), '1/0')
  })
}

/** What a home answers, or the code of its refusal. */
const unpinned = async (
  world: MediaWorld,
  blob: string,
  deletion: Deletion,
  from = 'gw',
  to = 'm1',
): Promise<string> => {
  const request = { epoch: world.map.epoch, blob, ...deletion }
  try {
    return String((await world.network.transport(from).call(to, mediaUnpin, request)).ended)
  } catch (error) {
    return (error as ChatError).code
  }
}

test('of another message, by a revoked device, by who is no gateway, or what is no deletion: nothing ends', async () => {
  const world = await MediaWorld.start(['m1', 'm2'])
  const { blob, message } = await sent(world)
  const right = deletionOf(message)
  assert.is(await unpinned(world, blob, deletionOf(nextMessage())), 'false')
  assert.is(await unpinned(world, blob, { ...right, tombstone: right.certificate }), 'MESSAGE_INVALID')
  assert.is(await unpinned(world, blob, { ...right, tombstone: Buffer.alloc(5_000) }), 'MESSAGE_TOO_LARGE')
  assert.is(await unpinned(world, blob, right, 'm2'), 'PEER_DENIED')
  const revoked = { user: USER, dev: deviceOf(USER), at: Date.now() - 1_000 }
  world.publish({ revocations: [revoked] })
  await eventually(async () => (await unpinned(world, blob, right)) === 'AUTH_REVOKED')
  assert.is(await pinsOf(world, blob), '1/0 1/0')
  // What the device signed before is as good as ever.
  assert.is(await unpinned(world, blob, deletionOf(message, { at: revoked.at - 1 })), 'true')
  assert.is(await unpinned(world, blob, deletionOf(message, { at: revoked.at - 1 })), 'true')
})

test('a home that was away brings no ended pin back, nor does one who pins anew, nor a restart', async () => {
  const world = await MediaWorld.start()
  const { bytes, blob, message } = await sent(world)
  await eventually(async () => (await pinsOf(world, blob)) === '1/0 1/0 1/0')
  world.network.isolate('m3')
  await world.gateway.unpin({ blob, ...deletionOf(message) })
  assert.is(await pinsOf(world, blob), '0/1 0/1 1/0')
  await pinned(world, { bytes, message })
  await world.home('m1').crash()
  await world.home('m1').start()
  await eventually(async () => (await pinsOf(world, blob)) === '0/1 0/1 0/1')
  await eventually(() => isEverybodyUp(world))
  await pinned(world, { bytes, message }, 12 * DAY_MS)
  await someTurns()
  assert.is(await pinsOf(world, blob), '0/1 0/1 0/1')
  world.laterMs = 2 * DAY_MS
  await eventually(async () => (await world.copies(blob)) === 0)
  // The message is there and deleted: who sends it once more needs no attachment.
  await pinned(world, { bytes, message })
  // As long as the pin would have lasted, and no longer.
  world.laterMs = 11 * DAY_MS
  await someTurns()
  assert.is(await pinsOf(world, blob), '0/1 0/1 0/1')
  world.laterMs = 14 * DAY_MS
  await eventually(async () => (await pinsOf(world, blob)) === '0/0 0/0 0/0')
})

test('a home that comes back after the blob is gone everywhere else gives it up too', async () => {
  const world = await MediaWorld.start()
  const { blob, message } = await sent(world)
  await eventually(async () => (await pinsOf(world, blob)) === '1/0 1/0 1/0')
  await eventually(() => isEverybodyUp(world))
  await world.home('m3').crash()
  await world.gateway.unpin({ blob, ...deletionOf(message) })
  world.laterMs = 2 * DAY_MS
  await world.home('m3').start()
  await eventually(async () => (await world.copies(blob)) === 0)
  assert.is(await pinsOf(world, blob), '0/1 0/1 0/1')
})

test('what a home says of deletions is believed only with what the author signed', async () => {
  const world = await MediaWorld.start(['m1', 'm2'])
  const { blob, message } = await sent(world)
  await eventually(async () => (await pinsOf(world, blob)) === '1/0 1/0')
  const pin = ownedPin(message, PARTIES)
  const lies = [deletionOf(message, { signer: 'mallory' }), deletionOf(message, { from: 'mallory' })]
  const ended = lies.map(({ tombstone, certificate }): NonNullable<MediaEntry['ended']>[number] => [
    pin,
    hourOf(Date.now() + DAY_MS),
    tombstone,
    certificate,
  ])
  let asked = 0
  world.network.transport('m2').handle(mediaList, async () => {
    asked += 1
    return { entries: [{ blob, pins: [], ended }] }
  })
  world.network.transport('m2').handle(mediaDigests, () => ({ digests: Buffer.alloc(256 * 16, 7), readable: true }))
  await eventually(() => asked > 256)
  const entry = await entryAt(world, 'm1', blob)
  assert.equal([entry?.owned?.length, entry?.ended], [1, undefined])
})

test('without a quorum of its homes nothing is promised; a home of an earlier version is no reason to wait', async () => {
  const world = await MediaWorld.start()
  const { blob, message } = await sent(world)
  await eventually(async () => (await pinsOf(world, blob)) === '1/0 1/0 1/0')
  for (const name of ['m1', 'm2']) world.network.disconnect('gw', name)
  const deletion = deletionOf(message)
  assert.is(await codeOf(world.gateway.unpin({ blob, ...deletion })), 'QUORUM_UNAVAILABLE')
  world.network.connectAll()
  for (const name of ['m1', 'm2'])
    world.network.transport(name).handle(mediaUnpin, () => {
      throw new ChatError('RPC_UNKNOWN')
    })
  await world.gateway.unpin({ blob, ...deletion })
})

test('a pin of an earlier version ends with its hour only', async () => {
  const world = await MediaWorld.start(['m1'])
  const bytes = bytesOf(10 * KIB)
  await world.upload(bytes)
  const [blob, message] = [idOf(bytes), nextMessage()]
  const hour = hourOf(world.clock.now() + 3 * DAY_MS)
  const request = { epoch: world.map.epoch, blob, size: bytes.length, message, hour }
  await world.gatewayTransport.call('m1', mediaPin, request)
  const home = world.home('m1')
  await home.stop()
  // Byte by byte as that version wrote it.
  home.disk.tamper('media', (data) => {
    assert.ok(data.get(pinKey(blob, message))?.length === 8)
    const [row, byHour] = [pinKey(blob, message), hourKey(hour, blob, message)]
    data.apply([
      { key: row, value: pinValue(row, hour) },
      { key: byHour, value: hourValue(byHour) },
    ])
  })
  await home.start()
  assert.is(await unpinned(world, blob, deletionOf(message)), 'false')
  world.laterMs = 2 * DAY_MS
  await someTurns()
  assert.is(await world.copies(blob), 1)
  world.laterMs = 4 * DAY_MS
  await eventually(async () => (await world.copies(blob)) === 0)
})

test('while pins end and blobs go, a message that was pinned has its attachment', async () => {
  const world = await MediaWorld.start()
  await eventually(() => isEverybodyUp(world))
  for (let round = 0; round < 6; round++) {
    const all = await Promise.all(Array.from({ length: 6 }, () => sent(world, bytesOf(10 * KIB))))
    world.laterMs += 2 * DAY_MS
    const kept: Buffer[] = []
    const work = all.map(async ({ bytes, blob, message }, index) => {
      const ending = world.gateway.unpin({ blob, ...deletionOf(message) })
      await new Promise((resolve) => setTimeout(resolve, index * 5))
      const result = await codeOf(pinned(world, { bytes, message: nextMessage() }, 100 * DAY_MS))
      if (result === 'nothing thrown') kept.push(bytes)
      await codeOf(ending)
    })
    const victim = world.home(HOMES[round % 3] ?? 'm1')
    await new Promise((resolve) => setTimeout(resolve, round * 4))
    await victim.crash()
    await Promise.all(work)
    await victim.start()
    await eventually(() => isEverybodyUp(world))
    await someTurns()
    for (const bytes of kept) assert.ok((await world.download(idOf(bytes))).equals(bytes))
  }
})

/** At m1 only; more than a page of comparisons holds. Ended pins name as many attachments as they may. */
const endMany = async (world: MediaWorld, bytes: Buffer, hour: number): Promise<void> => {
  const blob = idOf(bytes)
  const blobs = Array.from({ length: limits.maxAttachments }, (_, i): [string, number] => [idOf(Buffer.of(i)), 17])
  for (let i = 0; i < 400; i++) {
    const message = nextMessage()
    const request = { epoch: world.map.epoch, blob, size: bytes.length, message, parties: PARTIES, hour }
    await world.gatewayTransport.call('m1', mediaPin, request)
    assert.is(await unpinned(world, blob, deletionOf(message, { blobs })), 'true')
  }
}

test('any number of ended pins goes to other homes, in pages that fit into frames', async () => {
  const world = await MediaWorld.start(['m1', 'm2'])
  const bytes = bytesOf(KIB)
  const { blob } = await sent(world, bytes)
  world.network.disconnect('m1', 'm2')
  await endMany(world, bytes, hourOf(world.clock.now() + DAY_MS))
  const shard = Number.parseInt(blob.slice(0, 2), 16)
  const { entries, next } = await world.network.transport('m1').call('m1', mediaList, { epoch: world.map.epoch, shard })
  assert.ok(next)
  const size = entries.flatMap(({ ended = [] }) => ended).reduce((sum, [, , a, b]) => sum + a.length + b.length, 0)
  assert.ok(size > 0 && size < limits.maxPeerFrameBytes * 0.6, String(size))
  world.network.connectAll()
  await eventually(async () => {
    const home = await world.network.transport('m2').call('m2', mediaList, { epoch: world.map.epoch, shard })
    return home.next !== undefined
  })
})

test('a blob comes to a new home though the only pin that keeps it is on a later page than its own row', async () => {
  const world = await MediaWorld.start(['m1', 'm2'])
  const bytes = bytesOf(KIB)
  const { blob, message } = await sent(world, bytes)
  await world.gateway.unpin({ blob, ...deletionOf(message) })
  await endMany(world, bytes, hourOf(world.clock.now() + 9 * DAY_MS))
  await pinned(world, { bytes, message: nextMessage() })
  await world.home('m2').stop()
  world.laterMs = 2 * DAY_MS
  const fresh = await world.add('m2')
  await eventually(() => fresh.has(blob))
  await eventually(() => isEverybodyUp(world))
  await someTurns()
  assert.is(await world.copies(blob), 2)
})

test('a pin that is made anew while the old one expires is kept', async () => {
  const world = await MediaWorld.start(['m1'])
  const { blob, bytes, message } = await sent(world)
  const home = world.home('m1')
  const fsync = Promise.withResolvers<void>()
  home.fsync = fsync.promise
  world.laterMs = 10 * DAY_MS
  const anew = pinned(world, { bytes, message }, 9 * DAY_MS)
  await someTurns()
  fsync.resolve()
  await anew
  await someTurns()
  assert.is(await pinsOf(world, blob), '1/0')
  assert.is(await world.copies(blob), 1)
})

test.run()
