// Login: who gets in, and everything that must not: a replayed or relayed proof, an expired, revoked or foreign certificate,
// a key that proves nothing, a capability for another gateway or of another device.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { toBase64 } from '../../src/protocol/bytes.ts'
import { gatewayTranscript } from '../../src/protocol/handshake.ts'
import { limits } from '../../src/protocol/limits.ts'
import { verifierFor } from '../../src/protocol/signing.ts'
import { ManualClock, turns } from './gateway-clock.ts'
import { cluster, type Frame, keyFor, single, type TestDevice, World } from './gateway-world.ts'

const handshake = suite('handshake')
handshake.after.each(() => World.stopAll())
const NONCE = toBase64(new Uint8Array(32).fill(7))

const withWorld = (name: string, run: (world: World) => Promise<void>, nodes = single): void => {
  handshake(name, async () => {
    const world = await World.start({ nodes })
    try {
      await run(world)
    } finally {
    }
  })
}
const code = (frame: Frame): unknown => (frame.t === 'error' ? frame.code : frame.t)

withWorld('a certified device gets in, and the gateway proves itself first', async (world) => {
  const device = world.certify('alice', 'phone')
  const client = world.connect('all')
  const challenge = await client.hello(device, NONCE)
  const { user, dev } = client.certificate(device)
  const transcript = { cluster: world.cluster, gateway: 'all', user, device: dev }
  const signed = gatewayTranscript({ ...transcript, clientNonce: NONCE, gatewayNonce: String(challenge.nonce) })
  const signature = Buffer.from(String(challenge.signature), 'base64')
  assert.ok(verifierFor(keyFor('all').publicKey).verify(signed, signature))
  assert.is(challenge.map, toBase64(world.signed.sealed))
  const welcome = await client.prove(device, challenge, NONCE)
  assert.is(welcome.t, 'auth.welcome')
  assert.ok(client.isAuthenticated)
  assert.is(world.gateway('all').status().sessions, 1)
})

withWorld('a recorded proof is worth nothing on another connection', async (world) => {
  const device = world.certify('alice', 'phone')
  const first = world.connect('all')
  const recorded = await first.hello(device, NONCE)
  const second = world.connect('all')
  await second.hello(device, NONCE)
  assert.is(code(await second.prove(device, recorded, NONCE)), 'AUTH_REPLAY')
  assert.is(code(await second.prove(device, recorded, NONCE)), 'AUTH_REPLAY')
  assert.not(second.isAuthenticated)
})

withWorld('a proof without a challenge is refused', async (world) => {
  const device = world.certify('alice', 'phone')
  const challenge = await world.connect('all').hello(device, NONCE)
  assert.is(code(await world.connect('all').prove(device, challenge, NONCE)), 'AUTH_REPLAY')
})

withWorld(
  'a proof relayed from another gateway is refused',
  async (world) => {
    const device = world.certify('alice', 'phone')
    const honest = world.connect('gateway-1')
    const challenge = await honest.hello(device, NONCE)
    // The other gateway shows the device its own name with the honest one's nonce, and passes the answer on.
    const relayed = { ...challenge, gateway: 'gateway-2' }
    assert.is(code(await honest.prove(device, relayed, NONCE)), 'AUTH_REPLAY')
  },
  cluster(2),
)

const CERTIFICATES: [name: string, make: (world: World) => TestDevice, code: string][] = [
  ['expired', (world) => world.certify('alice', 'phone', { exp: world.clock.now() - 1 }), 'AUTH_EXPIRED'],
  [
    'of another cluster',
    (world) => world.certify('alice', 'phone', { authority: keyFor('another authority') }),
    'AUTH_SIGNATURE',
  ],
  ['of a small-order key', (world) => world.certify('alice', 'phone', { key: new Uint8Array(32) }), 'AUTH_KEY_WEAK'],
]
for (const [name, make, expected] of CERTIFICATES) {
  withWorld(`a certificate ${name} is refused`, async (world) => {
    assert.is(code(await world.connect('all').hello(make(world))), expected)
  })
}

withWorld('a revoked device is refused, and its sessions end', async (world) => {
  const device = world.certify('alice', 'phone')
  const session = await world.login(device, 'all')
  const other = await world.login(world.certify('alice', 'laptop'), 'all')
  const { user, dev } = session.certificate(device)
  world.node('all').view.adopt(world.sign(2, { revocations: [{ user, dev, at: world.clock.now() }] }).sealed)
  assert.is(session.frames.at(-1)?.code, 'AUTH_REVOKED')
  assert.is(session.closedWith?.reason, 'AUTH_REVOKED')
  assert.is(other.closedWith, undefined)
  assert.is(other.frames.at(-1)?.t, 'auth.map')
  assert.is(code(await world.connect('all').hello(device)), 'AUTH_REVOKED')
})

withWorld('a signature that is none is refused', async (world) => {
  const device = world.certify('alice', 'phone')
  const client = world.connect('all')
  const challenge = await client.hello(device, NONCE)
  assert.is(code(await client.prove(device, challenge, NONCE, { signature: 'AAAA' })), 'AUTH_SIGNATURE')
})

type MakeCapability = (world: World, client: ReturnType<World['connect']>, device: TestDevice) => Uint8Array
const CAPABILITIES: [name: string, make: MakeCapability, code: string][] = [
  ['for another gateway', (_, client, device) => client.capability(device, { gateway: 'elsewhere' }), 'AUTH_DENIED'],
  [
    'that is over',
    (world, client, device) => client.capability(device, { expiresAt: world.clock.now() - limits.clockSkewMs - 1 }),
    'AUTH_EXPIRED',
  ],
  [
    'that lasts for days',
    (world, client, device) => client.capability(device, { expiresAt: world.clock.now() + 86_400_000 }),
    'AUTH_DENIED',
  ],
  ['of another user', (world, client) => client.capability(world.certify('mallory', 'phone')), 'AUTH_DENIED'],
  ['that is garbage', () => new Uint8Array(100), 'MESSAGE_INVALID'],
]
for (const [name, make, expected] of CAPABILITIES) {
  withWorld(`a capability ${name} is refused`, async (world) => {
    const device = world.certify('alice', 'phone')
    const client = world.connect('all')
    const challenge = await client.hello(device, NONCE)
    const capability = toBase64(make(world, client, device))
    assert.is(code(await client.prove(device, challenge, NONCE, { capability })), expected)
    assert.not(client.isAuthenticated)
  })
}

withWorld('before authentication only the handshake, the map and ping are answered', async (world) => {
  const client = world.connect('all')
  assert.is((await client.request('auth.map')).map, toBase64(world.signed.sealed))
  assert.is((await client.request('ping')).t, 'pong')
  assert.is(code(await client.request('record.put', { record: 'AAAA' })), 'AUTH_REQUIRED')
  assert.is(code(await client.request('feed.open', { cursors: {} })), 'AUTH_REQUIRED')
  assert.is(code(await client.request('certificate.get', { user: 'bob' })), 'AUTH_REQUIRED')
})

withWorld('a session cannot authenticate twice', async (world) => {
  const device = world.certify('alice', 'phone')
  const client = await world.login(device, 'all')
  assert.is(code(await client.hello(device)), 'FRAME_INVALID')
})

withWorld(
  'without an authority registration fails in a retryable way, and says so',
  async (world) => {
    const answer = await world.connect('gateway-1').request('auth.register', { claim: 'AAAA' })
    assert.is(answer.code, 'AUTH_UNAVAILABLE')
    assert.is(answer.retryable, true)
  },
  cluster(1).map((node) => ({ ...node, authority: false })),
)

handshake('a socket that proves nothing is ended after a while, one that did is not', async () => {
  const clock = new ManualClock()
  const world = await World.start({ nodes: single, clock })
  const idle = world.connect('all')
  const member = await world.login(world.certify('alice', 'phone'), 'all')
  await clock.advance(limits.unauthenticatedMs + 1)
  assert.is(idle.closedWith?.reason, 'AUTH_REQUIRED')
  assert.is(member.closedWith, undefined)
})

handshake('of a device with too many sessions the oldest ends, and no other', async () => {
  const world = await World.start({ nodes: single })
  const device = world.certify('alice', 'phone')
  const other = await world.login(world.certify('alice', 'laptop'), 'all')
  const clients = []
  for (let i = 0; i <= limits.maxSessionsPerDevice; i++) clients.push(await world.login(device, 'all'))
  assert.is(clients[0]?.closedWith?.reason, 'GATEWAY_SESSIONS')
  await turns()
  assert.ok([other, ...clients.slice(1)].every(({ closedWith }) => closedWith === undefined))
  assert.is(world.gateway('all').status().sessions, limits.maxSessionsPerDevice + 1)
})

handshake('a session ends with its capability, unless that is renewed', async () => {
  const clock = new ManualClock()
  const world = await World.start({ nodes: single, clock })
  const device = world.certify('alice', 'phone')
  const lazy = await world.login(device, 'all')
  const busy = await world.login(device, 'all')
  await clock.advance(limits.capabilityRenewMs)
  const renewed = await busy.request('auth.capability', { capability: toBase64(busy.capability(device)) })
  assert.is(renewed.t, 'ok')
  const denied = await busy.request('auth.capability', {
    capability: toBase64(busy.capability(world.certify('alice', 'laptop'))),
  })
  assert.is(denied.code, 'AUTH_DENIED')
  await clock.advance(limits.capabilityMs - limits.capabilityRenewMs + limits.clockSkewMs + limits.headsMs)
  assert.is(lazy.closedWith?.reason, 'AUTH_EXPIRED')
  assert.is(busy.closedWith, undefined)
})

handshake.run()
