// The authority and its cluster: joining by ticket, epochs that only rise, homes that change in two epochs, removal, moving.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { AuthService } from '../../src/node/auth/auth-service.ts'
import { exportAuthority, importAuthority, parseAuthority } from '../../src/node/auth/authority-state.ts'
import { decodeTicket, type JoinAbout, joinProof, joinTranscript } from '../../src/node/auth/join-proof.ts'
import { MemoryDatabase } from '../../src/platform/memory-database.ts'
import { systemClock } from '../../src/platform/system.ts'
import { fromBase64, toBase64 } from '../../src/protocol/bytes.ts'
import { type ClusterMap, homeSet, type MapNode, openMap, type Role } from '../../src/protocol/cluster-map.ts'
import { type ErrorCode, hasCode } from '../../src/protocol/errors.ts'
import { peerIdOf } from '../../src/protocol/peer-id.ts'
import * as rpc from '../../src/protocol/rpc.ts'
import { fastSigner } from '../../src/protocol/signing.ts'
import {
  authorityKeyPair,
  cluster,
  FakeHomes,
  mapNode,
  mapOf,
  newDevice,
  newKeyPair,
  TestCluster,
} from '../auth-fixture.ts'
import { eventually } from '../eventually.ts'

const rejects = async (work: () => unknown, code: ErrorCode): Promise<void> => {
  try {
    await work()
  } catch (error) {
    assert.ok(hasCode(error, code), `expected ${code}, got ${String(error)}`)
    return
  }
  throw new Error(`expected ${code}, but it succeeded`)
}

const open = (roles: Role[] = ['router'], others: MapNode[] = []) => {
  const world = new TestCluster()
  const node = mapNode('router-1', roles, { authority: true })
  const initial = mapOf([node, ...others], { homes: { current: homeSet(roles.includes('store') ? [node.peer] : []) } })
  const member = world.member(node, initial)
  const offset = { ms: 0 }
  const clock = { ...systemClock, now: () => Date.now() + offset.ms, monotonic: () => performance.now() + offset.ms }
  const database = new MemoryDatabase()
  const auth = world.authority(member, { database, clock })
  return { world, node, member, auth, initial, offset, database }
}

/** A node that joins, whose every step can be changed. */
const joiner = (auth: AuthService, text: string) => {
  const keys = newKeyPair()
  const ticket = decodeTicket(text)
  const peer = peerIdOf(keys.publicKey)
  const nonce = toBase64(Buffer.alloc(32, 3))
  const hello = () => auth.joinHello({ ticket: ticket.id, peer, nonce })
  const prove = (
    about: Partial<JoinAbout> = {},
    { secret = ticket.secret, signer = keys, as = peer, reuse = '' } = {},
  ) => {
    const authorityNonce = reuse === '' ? hello().nonce : reuse
    const text = JSON.stringify({
      key: toBase64(keys.publicKey),
      addresses: ['/ip4/127.0.0.1/tcp/1'],
      weight: 1,
      ...about,
    })
    const transcript = { cluster, ticket: ticket.id, peer: as, joinerNonce: nonce, authorityNonce, about: text }
    const signature = toBase64(fastSigner(signer.secretKey)(joinTranscript('joiner', transcript)))
    const proof = joinProof('joiner', transcript, secret)
    return auth.joinProve({ ticket: ticket.id, peer: as, nonce, authorityNonce, about: text, proof, signature })
  }
  return { peer, hello, prove }
}

const ticketFor = async (auth: AuthService, roles: Role[] = ['store'], ttlMs = 60_000): Promise<string> =>
  (await auth.createTicket({ roles, ttlMs, url: 'http://127.0.0.1:1' })).ticket

test.after.each(() => TestCluster.stopAll())

test('a node joins with a ticket, in the roles of the ticket, and a repeat gets the same', async () => {
  const { auth, member } = open()
  const node = joiner(auth, await ticketFor(auth, ['store', 'gateway']))
  const { map } = openMap(fromBase64((await node.prove()).map), cluster)
  assert.equal(map.nodes[1]?.roles, ['store', 'gateway'])
  assert.is(map.nodes[1]?.name, 'store-1')
  assert.equal(map.homes.current.peers, [node.peer], 'the first store is home at once')
  await node.prove()
  assert.is(member.view.current().map.epoch, map.epoch)
})

test('wrong, used, expired and stolen tickets are refused, and change nothing', async () => {
  const { auth, member, offset } = open()
  const ticket = await ticketFor(auth)
  const node = joiner(auth, ticket)
  await rejects(() => node.prove({}, { secret: toBase64(Buffer.alloc(16)) }), 'AUTH_TICKET')
  await rejects(() => node.prove({}, { signer: newKeyPair() }), 'AUTH_SIGNATURE')
  await rejects(() => node.prove({ key: toBase64(newKeyPair().publicKey) }), 'AUTH_SIGNATURE')
  await rejects(() => node.prove({}, { reuse: toBase64(Buffer.alloc(32, 9)) }), 'AUTH_TICKET')
  await rejects(() => auth.joinHello({ ticket: 'unknown', peer: node.peer, nonce: 'n' }), 'AUTH_TICKET')
  await rejects(() => auth.joinHello({ garbage: true }), 'RPC_INVALID')
  assert.is(member.view.current().map.epoch, 1)
  const { nonce } = node.hello()
  await node.prove({}, { reuse: nonce })
  await rejects(() => node.prove({}, { reuse: nonce }), 'AUTH_TICKET') // one challenge, one proof
  await rejects(() => joiner(auth, ticket).prove(), 'AUTH_TICKET')
  const late = joiner(auth, await ticketFor(auth))
  offset.ms += 61_000
  await rejects(() => late.prove(), 'AUTH_TICKET')
})

test('a name that is taken is refused before the map changes', async () => {
  const { auth, member } = open()
  await rejects(async () => joiner(auth, await ticketFor(auth)).prove({ name: 'router-1' }), 'CLUSTER_STATE')
  assert.is(member.view.current().map.nodes.length, 1)
})

test('the authority signs above every epoch that a connected peer knows', async () => {
  const other = mapNode('router-2', ['router'])
  const { world, auth, member, node, initial } = open(['router'], [other])
  const newer = mapOf(initial.map.nodes, { epoch: 40 })
  world.member(other, newer)
  world.network.filter = (_from, _to, method) => method !== 'map.push' // only asking finds it
  world.network.connect(node.peer, other.peer)
  await joiner(auth, await ticketFor(auth)).prove()
  assert.is(member.view.current().map.epoch, 41)
})

test('an old authority that hears of the new one only while it asks the peers signs nothing', async () => {
  const [other, third] = [mapNode('router-2', ['router']), mapNode('router-3', ['router'])]
  const { world, auth, member, node, initial } = open(['router'], [other, third])
  const moved = [{ ...node, authority: false }, { ...other, authority: true }, third]
  world.member(other, mapOf(moved, { epoch: 2 }))
  const silent = new Set(['map.push'])
  world.network.filter = (_from, _to, method) => !silent.has(method)
  silent.add('map.get')
  world.network.connect(node.peer, other.peer)
  assert.is(member.view.current().map.epoch, initial.map.epoch)
  silent.delete('map.get')
  await rejects(() => auth.removeNode('router-3'), 'AUTH_UNAVAILABLE')
  assert.is(member.view.current().map.epoch, 2)
})

test('a node that was removed does not come back with the ticket it once joined with', async () => {
  const { auth, member } = open()
  const node = joiner(auth, await ticketFor(auth, ['router']))
  await node.prove({ name: 'gone' })
  assert.ok((await auth.removeNode('gone')).removed)
  await rejects(() => node.prove({ name: 'gone' }), 'AUTH_TICKET')
  assert.is(member.view.current().map.nodes.length, 1)
})

/** Stores that answer store.state; `reconciled` follows the map unless told otherwise. */
const withStores = async (count: number, mediaCount = 0) => {
  const stores = Array.from({ length: count }, (_, index) => mapNode(`store-${index + 2}`, ['store']))
  const mediaNodes = Array.from({ length: mediaCount }, (_, index) => mapNode(`media-${index + 1}`, ['media']))
  const base = open(['router', 'store'], [...stores, ...mediaNodes])
  const epochs: string[] = []
  base.member.view.watch(({ map }) =>
    epochs.push(`${map.homes.current.peers.length}${map.homes.next ? `>${map.homes.next.peers.length}` : ''}`),
  )
  const reconciled = new Map<string, () => number>()
  const mediaReconciled = new Map<string, () => number>()
  const serve = (peer: string): void => {
    base.world.network.transport(peer).handle(rpc.storeState, ({ epoch }) => {
      const done = reconciled.get(peer)?.() ?? epoch
      return { state: 'up', feed: 'f', batch: 0, epoch, reconciled: done, records: 0 }
    })
    base.world.network.transport(peer).handle(rpc.mediaState, ({ epoch }) => {
      const done = mediaReconciled.get(peer)?.() ?? epoch
      return { state: 'up', epoch, reconciled: done, blobs: 0, bytes: 0 }
    })
  }
  serve(base.node.peer)
  for (const store of stores) serve(store.peer)
  for (const { peer } of mediaNodes) {
    base.world.network.transport(peer).handle(rpc.mediaState, ({ epoch }) => {
      const done = mediaReconciled.get(peer)?.() ?? epoch
      return { state: 'up', epoch, reconciled: done, blobs: 0, bytes: 0 }
    })
  }
  return {
    ...base,
    stores,
    mediaNodes,
    epochs,
    reconciled,
    mediaReconciled,
    connect: (store: MapNode) => base.world.network.connect(base.node.peer, store.peer),
  }
}

test('one home becomes three by a joint and a final epoch, once all have reconciled', async () => {
  const { stores, member, epochs, reconciled, connect } = await withStores(2)
  let isDone = false
  for (const { peer } of stores) reconciled.set(peer, () => (isDone ? member.view.current().map.epoch : 0))
  for (const store of stores) connect(store)
  await eventually(() => member.view.current().map.homes.next?.peers.length === 3)
  assert.is(member.view.current().map.homes.current.peers.length, 1)
  isDone = true
  await eventually(() => member.view.current().map.homes.current.peers.length === 3)
  const { current, next } = member.view.current().map.homes
  assert.equal([current.n, current.w, current.r, next], [3, 2, 2, undefined])
  assert.equal(epochs, ['1>3', '3'])
})

test('a reconciliation at an older epoch does not count, and a change that does not finish is cancelled', async () => {
  const { stores, member, reconciled, connect, offset, epochs } = await withStores(1)
  let askedAt = 0
  reconciled.set(stores[0]?.peer ?? '', () => {
    askedAt = member.view.current().map.epoch
    return 1
  })
  for (const store of stores) connect(store)
  await eventually(() => member.view.current().map.homes.next !== undefined)
  await eventually(() => askedAt === member.view.current().map.epoch, { what: 'asked at the joint epoch' })
  offset.ms += 61_000
  await eventually(() => member.view.current().map.homes.next === undefined)
  assert.equal(epochs, ['1>2', '1'])
})

test('stores that keep attachments too become homes once those have been copied as well', async () => {
  const { stores, member, mediaReconciled, connect } = await withStores(1)
  let askedAt = 0
  let isDone = false
  mediaReconciled.set(stores[0]?.peer ?? '', () => {
    askedAt = member.view.current().map.epoch
    return isDone ? askedAt : 0
  })
  for (const store of stores) connect(store)
  await eventually(() => member.view.current().map.homes.next && askedAt === member.view.current().map.epoch)
  assert.is(member.view.current().map.homes.current.peers.length, 1)
  isDone = true
  await eventually(() => member.view.current().map.homes.current.peers.length === 2)
  assert.is(member.view.current().map.media, undefined)
})

test('nodes for attachments alone become their homes by a change of their own, and give them back when they leave', async () => {
  const { auth, node, mediaNodes, member, mediaReconciled, connect } = await withStores(0, 2)
  const mapNow = (): ClusterMap => member.view.current().map
  const peers = mediaNodes.map(({ peer }) => peer).sort()
  let isDone = false
  for (const peer of peers) mediaReconciled.set(peer, () => (isDone ? mapNow().epoch : 0))
  for (const media of mediaNodes) connect(media)
  // As they answer: one of them may come first.
  await eventually(() => mapNow().media?.next !== undefined)
  assert.equal(mapNow().media?.current.peers, [node.peer])
  isDone = true
  await eventually(() => mapNow().media?.current.peers.join() === peers.join() && !mapNow().media?.next)
  assert.equal([mapNow().media?.current.n, mapNow().media?.current.w], [2, 2])
  assert.equal(mapNow().homes, { current: homeSet([node.peer]) })
  for (const name of ['media-1', 'media-2']) {
    assert.is((await auth.removeNode(name)).removed, false)
    await eventually(async () => (await auth.removeNode(name)).removed)
  }
  await eventually(() => mapNow().media === undefined)
  assert.equal(mapNow().homes, { current: homeSet([node.peer]) })
})

test('a store is removed only after the homes changed; the last one never', async () => {
  const { auth, stores, member, connect, node } = await withStores(1)
  await rejects(() => auth.removeNode('router-1'), 'CLUSTER_STATE')
  for (const store of stores) connect(store)
  await eventually(() => member.view.current().map.homes.current.peers.length === 2)
  assert.equal((await auth.removeNode('store-2')).removed, false)
  await eventually(async () => (await auth.removeNode('store-2')).removed)
  const { map } = member.view.current()
  assert.equal(map.homes.current.peers, [node.peer])
  assert.equal(
    map.nodes.map(({ name }) => name),
    ['router-1'],
  )
})

test('a moved authority reads all certificates before it issues, and the old one does nothing more', async () => {
  const next = mapNode('router-2', ['router'])
  const { world, database, member, initial, node, auth } = open(['router', 'store'], [next])
  const homes = new FakeHomes()
  const oldDevice = newDevice()
  const before = new TestCluster()
  const elsewhere = before.authority(before.member(node, initial), { homes }, { openRegistration: true })
  assert.ok(elsewhere)
  await before.network
    .transport(node.peer)
    .call(node.peer, rpc.authRegister, { claim: oldDevice.claim({ name: 'zoe' }) }) // after the export
  before.stop()

  const { state } = parseAuthority(JSON.stringify(await auth.exportState()))
  assert.equal(state, await exportAuthority(database, authorityKeyPair))
  const imported = new MemoryDatabase()
  await importAuthority(imported, state)
  const newMember = world.member(next, initial)
  let isOpen = false
  let isSyncing = true
  let asked = 0
  world.network.transport(node.peer).handle(rpc.storeState, ({ epoch }) => {
    asked += 1
    const state = isSyncing ? ('syncing' as const) : ('up' as const)
    return { state, feed: 'f', batch: 0, epoch, reconciled: 0, records: 0 }
  })
  world.network.transport(node.peer).handle(rpc.repairEntries, ({ shard }) => {
    if (!isOpen) throw new Error('not yet')
    return { mailboxes: shard === 0 ? ['c:zoe'] : [], keys: Buffer.alloc(0), more: false }
  })
  world.network.connect(node.peer, next.peer)
  const self = { key: next.key, name: next.name, roles: next.roles, weight: 1, addresses: [] }
  world.authority(newMember, { database: imported, homes }, { openRegistration: true, self })
  const register = (claim: Uint8Array) => newMember.transport.call(next.peer, rpc.authRegister, { claim })
  await rejects(() => register(newDevice().claim({ name: 'zoe' })), 'AUTH_UNAVAILABLE')
  isOpen = true
  const askedBefore = asked
  await eventually(() => asked > askedBefore + 1)
  await rejects(() => register(newDevice().claim({ name: 'zoe' })), 'AUTH_UNAVAILABLE') // what syncs may lack names
  isSyncing = false
  await eventually(() => newMember.view.current().map.nodes.some((each) => each.peer === next.peer && each.authority))
  await eventually(() =>
    rejects(() => register(newDevice().claim({ name: 'zoe' })), 'AUTH_NAME_TAKEN').then(() => true),
  )
  await eventually(() => !member.view.current().map.nodes.some((each) => each.peer === node.peer && each.authority))
  await rejects(() => auth.createInvite({ uses: 1, ttlMs: 1_000 }), 'AUTH_UNAVAILABLE')
})

test.run()
