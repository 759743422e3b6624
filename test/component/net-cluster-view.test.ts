// The rules by which a node adopts cluster maps, and how maps spread over a network in memory.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ClusterViewKeeper } from '../../src/node/core/cluster-view.ts'
import { silentLogger } from '../../src/platform/ports.ts'
import { systemClock } from '../../src/platform/system.ts'
import { hasCode } from '../../src/protocol/errors.ts'
import { mapPush } from '../../src/protocol/rpc.ts'
import { eventually } from '../eventually.ts'
import { MemoryNetwork } from '../memory-transport.ts'
import { signedMap, testCluster, testSeed } from '../net-nodes.ts'

interface World {
  network: MemoryNetwork
  stopping: AbortController
}
const test = suite<World>('cluster view')
test.before.each((world) => {
  world.network = new MemoryNetwork()
  world.stopping = new AbortController()
})
test.after.each((world) => world.stopping.abort())

interface Watched {
  view: ClusterViewKeeper
  persisted: number[]
  seen: number[]
  errors: string[]
}
const keeper = ({ network, stopping }: World, peer: string, epoch: number, persist = (): void => {}): Watched => {
  const watched: Omit<Watched, 'view'> = { persisted: [], seen: [], errors: [] }
  const view: ClusterViewKeeper = new ClusterViewKeeper({
    cluster: testCluster,
    initial: signedMap(epoch, []),
    persist: () => {
      persist()
      watched.persisted.push(view.current().map.epoch)
    },
    transport: network.transport(peer),
    clock: systemClock,
    log: { ...silentLogger, error: (_fields, message) => void watched.errors.push(message) },
  })
  view.watch(({ map }) => watched.seen.push(map.epoch))
  view.start(stopping.signal)
  return Object.assign(watched, { view })
}

test('a newer map is kept on disk first, then adopted, then told', (world) => {
  const { view, persisted, seen } = keeper(world, 'a', 1)
  assert.ok(view.adopt(signedMap(3, []).sealed))
  assert.equal([persisted, seen, view.current().map.epoch], [[1], [3], 3])
})

test('a map that cannot be kept is not adopted', (world) => {
  const { view, seen } = keeper(world, 'a', 1, () => {
    throw new Error('disk full')
  })
  assert.throws(() => view.adopt(signedMap(3, []).sealed), /disk full/)
  assert.equal([seen, view.current().map.epoch], [[], 1])
})

test('an older map and the same map change nothing', (world) => {
  const { view, persisted, seen } = keeper(world, 'a', 5)
  assert.not(view.adopt(signedMap(4, []).sealed))
  assert.not(view.adopt(signedMap(5, []).sealed))
  assert.equal([persisted, seen], [[], []])
})

test('another content of the same epoch is refused and logged', (world) => {
  const { view, errors } = keeper(world, 'a', 5)
  const twin = signedMap(5, [{ number: 1, addresses: [] }])
  assert.throws(
    () => view.adopt(twin.sealed),
    (error: unknown) => hasCode(error, 'CLUSTER_STATE'),
  )
  assert.is(view.current().map.nodes.length, 0)
  assert.is(errors.length, 1)
})

test('a map that another key signed, that was changed or that is nonsense throws', (world) => {
  const { view } = keeper(world, 'a', 1)
  const changed = Uint8Array.from(signedMap(9, []).sealed)
  changed[changed.length - 2] = 0
  for (const bad of [signedMap(9, [], testSeed(5)).sealed, changed, Buffer.alloc(100), new Uint8Array(0)]) {
    assert.throws(() => view.adopt(bad))
  }
  assert.is(view.current().map.epoch, 1)
})

test('a watcher that fails keeps nobody from hearing', (world) => {
  const { view, seen, errors } = keeper(world, 'a', 1)
  view.watch(() => {
    throw new Error('a bug')
  })
  view.watch(({ map }) => seen.push(map.epoch))
  view.adopt(signedMap(2, []).sealed)
  assert.equal([seen, errors.length], [[2, 2], 1])
})

test('peers that connect end with the newer map, whichever side has it', async (world) => {
  const [a, b, c] = [keeper(world, 'a', 3), keeper(world, 'b', 1), keeper(world, 'c', 2)]
  world.network.connect('a', 'b')
  world.network.connect('c', 'b')
  await eventually(() => [a, b, c].every(({ view }) => view.current().map.epoch === 3))
})

test('a new map spreads along a chain of peers', async (world) => {
  const peers = ['a', 'b', 'c', 'd']
  const views = peers.map((peer) => keeper(world, peer, 1))
  peers.slice(1).forEach((peer, i) => world.network.connect(peers[i] ?? '', peer))
  views[0]?.view.adopt(signedMap(2, []).sealed)
  await eventually(() => views.every(({ view }) => view.current().map.epoch === 2))
  assert.ok(views.every(({ persisted }) => persisted.length === 1))
})

test('who pushes an old map gets the newer one back', async (world) => {
  keeper(world, 'a', 7)
  const stranger = world.network.transport('s')
  const got: Uint8Array[] = []
  stranger.handle(mapPush, ({ sealed }) => void got.push(sealed))
  world.network.connect('a', 's')
  stranger.notify('a', mapPush, { sealed: signedMap(2, []).sealed })
  await eventually(() => got.length === 1)
  assert.ok(signedMap(7, []).sealed.every((byte, i) => got[0]?.[i] === byte))
})

test.run()
