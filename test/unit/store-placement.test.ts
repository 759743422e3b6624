// Placement is a pure function of the map that spreads shards by weight and moves only what it must.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { coverOf, homesOf, homesOfShard, shardOf, SHARDS } from '../../src/node/replication/placement.ts'
import { type ClusterMap, homeSet, type MapNode } from '../../src/protocol/cluster-map.ts'

const mapOf = (current: string[], options: { next?: string[]; weights?: Record<string, number> } = {}): ClusterMap => {
  const peers = [...new Set([...current, ...(options.next ?? [])])]
  const node = (peer: string): MapNode => {
    const weight = options.weights?.[peer] ?? 1
    return { peer, key: '', name: peer, roles: ['store'], weight, addresses: [] }
  }
  const homes = { current: homeSet(current), ...(options.next ? { next: homeSet(options.next) } : {}) }
  return { cluster: 'c', epoch: 1, nodes: peers.map(node), homes, retentionMs: 1, revocations: [] }
}
const shards = Array.from({ length: SHARDS }, (_, shard) => shard)
const peersOf = (map: ClusterMap, shard: number): string[] => homesOfShard(map, shard).current.peers
const six = ['p1', 'p2', 'p3', 'p4', 'p5', 'p6']

const test = suite('placement')

test('a mailbox is in one shard, mailboxes are in all', () => {
  const names = Array.from({ length: 5_000 }, (_, n) => `u:user${n}`)
  const used = new Set(names.map(shardOf))
  assert.is(used.size, SHARDS)
  for (const shard of used) assert.ok(Number.isInteger(shard) && shard >= 0 && shard < SHARDS)
  assert.is(shardOf('u:alice'), shardOf('u:alice'))
})

test('as many homes as the quorum says, each once, whatever the order of the peers', () => {
  for (const count of [1, 2, 3, 6]) {
    const map = mapOf(six.slice(0, count))
    const homes = homesOf(map, 'u:alice')
    assert.is(homes.current.peers.length, Math.min(3, count))
    assert.is(new Set(homes.current.peers).size, homes.current.n)
    assert.is(coverOf(homes.current), homes.current.n - homes.current.w + 1)
  }
  assert.equal(peersOf(mapOf(six), 7), peersOf(mapOf([...six].reverse()), 7))
})

test('shards are spread evenly, and by weight', () => {
  const share = (map: ClusterMap, peer: string): number =>
    shards.filter((shard) => peersOf(map, shard)[0] === peer).length
  for (const peer of six) {
    const first = share(mapOf(six), peer)
    assert.ok(first > SHARDS / 12 && first < SHARDS / 3, `${peer} is the first home of ${first} shards`)
  }
  const heavy = mapOf(six, { weights: { p1: 4 } })
  assert.ok(share(heavy, 'p1') > share(mapOf(six), 'p1') * 1.5)
})

test('a new store takes shards only for itself, a lost one leaves the others’ in place', () => {
  const before = mapOf(six.slice(0, 5))
  const after = mapOf(six)
  let moved = 0
  for (const shard of shards) {
    const stays = peersOf(before, shard).filter((peer) => peersOf(after, shard).includes(peer))
    assert.ok(stays.length >= 2, 'at most one home of a shard changes')
    if (peersOf(after, shard).includes('p6')) moved += 1
    else assert.equal(peersOf(after, shard), peersOf(before, shard))
  }
  assert.ok(moved > SHARDS / 4 && moved < SHARDS * 0.75)
})

test('a joint epoch has both sets and the union of them', () => {
  const { current, next, all } = homesOf(mapOf(['p1'], { next: ['p1', 'p2', 'p3'] }), 'u:alice')
  assert.equal(current.peers, ['p1'])
  assert.equal([...(next?.peers ?? [])].sort(), ['p1', 'p2', 'p3'])
  assert.equal([...all].sort(), ['p1', 'p2', 'p3'])
})

test.run()
