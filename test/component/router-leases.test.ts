// The router by itself: what it keeps, which of two changes wins, and when leases end with their gateway.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { RouterService } from '../../src/node/router/router-service.ts'
import { silentLogger } from '../../src/platform/ports.ts'
import { ChatError } from '../../src/protocol/errors.ts'
import { limits } from '../../src/protocol/limits.ts'
import { routeBind, routeLookup, routeUnbind } from '../../src/protocol/rpc.ts'
import { MemoryNetwork, type MemoryTransport } from '../memory-transport.ts'
import { ManualClock, turns } from './gateway-clock.ts'
import { makeMap, PlainView } from './mailboxes-homes.ts'

const router = suite('router')

const GATEWAYS = ['g1', 'g2']
const mapWith = (epoch: number, gateways: string[]) =>
  makeMap(epoch, {
    nodes: gateways.map((peer) => ({
      peer,
      key: '',
      name: peer,
      roles: ['gateway' as const],
      weight: 1,
      addresses: [],
    })),
  })

interface Bench {
  clock: ManualClock
  network: MemoryNetwork
  service: RouterService
  g1: MemoryTransport
  g2: MemoryTransport
  bind: (
    gateway: MemoryTransport,
    sessions: [user: string, session: string, sequence: number][],
    epoch?: number,
  ) => Promise<number>
  unbind: (gateway: MemoryTransport, session: string, sequence: number, epoch?: number) => Promise<void>
  lookup: (user: string) => Promise<string[]>
}
const start = (): Bench => {
  const clock = new ManualClock()
  const network = new MemoryNetwork(clock)
  const view = new PlainView(mapWith(1, GATEWAYS))
  const transport = network.transport('r')
  const service = new RouterService({ transport, view, clock, log: silentLogger })
  service.start()
  const [g1, g2] = [network.transport('g1'), network.transport('g2')]
  network.connectAll()
  return {
    clock,
    network,
    service,
    g1,
    g2,
    bind: async (gateway, sessions, gatewayEpoch = 1) => {
      const capability = new Uint8Array([1])
      const leases = sessions.map(([user, session, sequence]) => ({ user, session, sequence, capability }))
      return (await gateway.call('r', routeBind, { gatewayEpoch, leases })).kept
    },
    unbind: async (gateway, session, sequence, gatewayEpoch = 1) => {
      gateway.notify('r', routeUnbind, { gatewayEpoch, sessions: [{ user: '', session, sequence }] })
      await turns(4)
    },
    lookup: async (user) => {
      const { leases } = await g1.call('r', routeLookup, { user })
      return leases.map(({ gateway, session }) => `${gateway}/${session}`).sort()
    },
  }
}

router('a user may be at several gateways, with several sessions', async () => {
  const { bind, lookup, service, g1, g2 } = start()
  assert.is(
    await bind(g1, [
      ['alice', 'a', 1],
      ['alice', 'b', 2],
      ['bob', 'c', 3],
    ]),
    3,
  )
  await bind(g2, [['alice', 'd', 1]])
  assert.equal(await lookup('alice'), ['g1/a', 'g1/b', 'g2/d'])
  assert.equal(await lookup('bob'), ['g1/c'])
  assert.equal(await lookup('carol'), [])
  const { gateways, users, leases } = service.status()
  assert.equal([gateways, users, leases], [2, 2, 4])
})

router('binding again changes nothing', async () => {
  const { bind, lookup, service, g1 } = start()
  await bind(g1, [['alice', 'a', 1]])
  assert.is(await bind(g1, [['alice', 'a', 1]]), 1)
  assert.equal(await lookup('alice'), ['g1/a'])
  assert.is(service.status().leases, 1)
})

router('an older change never replaces a newer one', async () => {
  const { bind, unbind, lookup, g1 } = start()
  await bind(g1, [['alice', 'a', 5]])
  assert.is(await bind(g1, [['alice', 'a', 4]]), 0)
  await unbind(g1, 'a', 4)
  assert.equal(await lookup('alice'), ['g1/a'])
  await unbind(g1, 'a', 6)
  assert.equal(await lookup('alice'), [])
  assert.is(await bind(g1, [['alice', 'a', 5]]), 0, 'an end that came first')
  assert.is(await bind(g1, [['alice', 'a', 7]]), 1)
})

router('a new life of a gateway ends what the old one held, and the old one cannot come back', async () => {
  const { bind, unbind, lookup, g1 } = start()
  await bind(
    g1,
    [
      ['alice', 'a', 9],
      ['bob', 'b', 10],
    ],
    1,
  )
  await bind(g1, [['alice', 'c', 1]], 2)
  assert.equal(await lookup('alice'), ['g1/c'])
  assert.equal(await lookup('bob'), [])
  assert.is(await bind(g1, [['bob', 'b', 11]], 1), 0)
  await unbind(g1, 'c', 12, 1)
  assert.equal(await lookup('alice'), ['g1/c'])
})

router('leases outlive a short cut of the connection, and end when it stays cut', async () => {
  const { bind, lookup, clock, network, g1, g2 } = start()
  await bind(g1, [['alice', 'a', 1]])
  await bind(g2, [['alice', 'b', 1]])
  network.disconnect('r', 'g2')
  await clock.advance(limits.leaseGraceMs - 1)
  network.connect('r', 'g2')
  await clock.advance(limits.leaseGraceMs * 2)
  assert.equal(await lookup('alice'), ['g1/a', 'g2/b'])
  network.disconnect('r', 'g2')
  await clock.advance(limits.leaseGraceMs)
  assert.equal(await lookup('alice'), ['g1/a'])
})

router('only gateways bind, and not without end', async () => {
  const { network, bind, g1 } = start()
  const code = async (promise: Promise<unknown>): Promise<unknown> =>
    promise.then(
      () => 'taken',
      (error: unknown) => (error instanceof ChatError ? error.code : error),
    )
  network.transport('stranger')
  network.connectAll()
  assert.is(await code(bind(network.transport('stranger'), [['alice', 'a', 1]])), 'PEER_DENIED')
  const many = Array.from({ length: 1_001 }, (_, i): [string, string, number] => ['alice', `${i}`, i])
  assert.is(await code(bind(g1, many)), 'RPC_INVALID')
})

router.run()
