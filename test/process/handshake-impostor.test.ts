// deadline: 600s
// What answers at a gateway's address and is none: it gets no proof, is believed nothing, breaks no client and loses it no message.
import { readFileSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { eventually } from '../eventually.ts'
import { WebSocketServer } from 'ws'
import { fromBase64, toBase64, toHex } from '../../src/protocol/bytes.ts'
import { homeSet, openMap, signMap } from '../../src/protocol/cluster-map.ts'
import { gatewayTranscript } from '../../src/protocol/handshake.ts'
import { fastSigner } from '../../src/protocol/signing.ts'
import { openHeader } from '../../src/protocol/sealed.ts'
import { ChatNode } from './chat-node.ts'
import { type Frame, Person } from './raw-client.ts'

const impostors = suite('impostors')
const node = new ChatNode()
let mallory: Person
/** The signed map, the gateway's peer id, and where the feeds of the cluster stand: everybody may know them. */
let signedMap = ''
let gateway = ''
let feed = { home: '', feed: '', head: 0 }

impostors.before(async () => {
  await node.start()
  await node.register('alice', 'bob')
  mallory = await Person.register(node.gateway, 'mallory')
  const session = await mallory.login(node.gateway)
  const answer = await session.request('auth.map')
  signedMap = String(answer.map)
  gateway = String(answer.gateway)
  session.end()
})
impostors.after(async () => {
  for (const end of ends) end()
  await node.close()
})

/** Where the feeds of the cluster stand now: numbers are the home's, so whoever writes to himself learns them. */
const lookAtFeeds = async (): Promise<void> => {
  const session = await mallory.login(node.gateway)
  await session.request('record.put', { record: toBase64(mallory.message('mallory', 'where are we?')) })
  const { homes } = await session.request('feed.open', { cursors: {} })
  const [home] = homes as { home: string; feed: string; head: number }[] // as frames.ts declares
  if (home) feed = home
  session.end()
}

type Answer = (hello: Frame) => Record<string, unknown>[]
interface Impostor {
  url: string
  /** Types of all that a client sent. */
  asked: string[]
}
const ends: (() => void)[] = []
const impostor = (answer: Answer): Promise<Impostor> =>
  new Promise((resolve) => {
    const asked: string[] = []
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0, handleProtocols: () => 'chat.v1' })
    server.on('connection', (socket) => {
      socket.on('error', () => {})
      socket.on('message', (data: Buffer) => {
        const frame = JSON.parse(data.toString('utf8')) as Frame // of a real client
        asked.push(frame.t)
        for (const reply of answer(frame)) socket.send(JSON.stringify(reply))
      })
    })
    server.on('listening', () => {
      const { port } = server.address() as AddressInfo // a TCP server that listens has one
      const end = (): void => {
        for (const socket of server.clients) socket.terminate()
        server.close()
      }
      ends.push(end)
      resolve({ url: `ws://127.0.0.1:${port}`, asked })
    })
  })

const keys = toBase64(Buffer.alloc(31))
/** What would move cursors, change the map or end the program, if it were believed. */
const lies = (): Record<string, unknown>[] => [
  { t: 'feed.page', ...feed, from: 0, to: feed.head, keys: '' },
  { t: 'feed.page', ...feed, from: 0, to: 1, keys },
  { t: 'auth.map', map: 'AAAA', gateway: 'x' },
  { t: 'record.push', records: [['AAAA', 1]] },
  { t: 'session.drain', gateways: ['ws://127.0.0.1:1'] },
  { t: 'feed.changed' },
]
/** Signed as the gateway's, but by mallory's key. */
const challenge = ({ id, certificate, nonce }: Frame, map: string): Record<string, unknown> => {
  const { user, dev } = openHeader(fromBase64(String(certificate))) // a certificate
  const gatewayNonce = toBase64(Buffer.alloc(32, 7))
  const parties = { cluster: mallory.cluster, gateway, user: String(user), device: String(dev) }
  const transcript = { ...parties, clientNonce: String(nonce), gatewayNonce }
  const signature = toBase64(mallory.sign(gatewayTranscript(transcript)))
  return { t: 'auth.challenge', id, gateway, nonce: gatewayNonce, signature, map }
}
/** A map of mallory's own making, in which the gateway has mallory's key. */
const ownMap = (): string => {
  const { map } = openMap(fromBase64(signedMap), mallory.cluster)
  const nodes = map.nodes.map((each) => ({ ...each, key: toBase64(mallory.keys.publicKey) }))
  const own = { ...map, cluster: toHex(mallory.keys.publicKey), epoch: 99, nodes, homes: { current: homeSet([]) } }
  return toBase64(signMap(own, fastSigner(mallory.keys.secretKey)).sealed)
}

const IMPOSTORS: [what: string, answer: Answer][] = [
  ['says nothing but lies', () => lies()],
  ['does not hold the key', (hello) => [...lies(), challenge(hello, signedMap), ...lies()]],
  ['has a map of its own', (hello) => [challenge(hello, ownMap())]],
  ['is not in the map', (hello) => [{ ...challenge(hello, signedMap), gateway: 'somebody' }]],
  ['lets everybody in', ({ id }) => [{ t: 'auth.welcome', id, session: 'x', now: 1, gateways: [] }, ...lies()]],
  ['sends a challenge that is none', ({ id }) => [{ t: 'auth.challenge', id, gateway: 5 }]],
  [
    'lies about the time',
    ({ id }) => [
      {
        t: 'error',
        id,
        code: 'AUTH_EXPIRED',
        message: 'x',
        retryable: false,
        outcome: 'refused',
        details: { now: 1e300 },
      },
    ],
  ],
  [
    'says that the device is over',
    ({ id }) => [
      { t: 'error', id, code: 'AUTH_SIGNATURE', message: '\u001b[31mx', retryable: false, outcome: 'refused' },
    ],
  ],
]

/** The gateways in a profile. */
const knows = (profile: string, gateways: string[]): void => {
  const path = join(node.home, profile, 'profile.json')
  writeFileSync(path, JSON.stringify({ ...(JSON.parse(readFileSync(path, 'utf8')) as object), gateways }))
}

impostors('none gets a proof, and no client loses what was sent meanwhile', async () => {
  for (const [what, answer] of IMPOSTORS) {
    const fake = await impostor(answer)
    await node.json('alice', ['send', 'bob', what])
    await lookAtFeeds()
    // First only the impostor is known, then the real one too: it is the one that is used.
    knows('bob', [fake.url])
    const { code, stderr } = await node.chat('bob', ['send', 'alice', what, '--timeout', '500ms', '--json'])
    assert.ok(code === 3 || code === 5, `${what}: ${stderr}`)
    assert.not.match(stderr, /\n {4}at /, what)
    await eventually(async () => {
      if (!fake.asked.includes('auth.hello')) await node.chat('bob', ['send', '--flush', '--timeout', '2s'])
      return fake.asked.includes('auth.hello')
    })
    assert.not.ok(fake.asked.includes('auth.prove'), what)
    knows('bob', [fake.url, node.gateway])
    // A command shows what the device has when catching up takes longer than it waits, as it may on a busy machine.
    await eventually(async () => {
      const texts = (await node.json<{ text: string }[]>('bob', ['history', 'alice'])).map(({ text }) => text)
      return texts.filter((text) => text === what).length === 2
    })
  }
  assert.equal(await node.json('bob', ['send', '--flush']), { queued: 0 })
  assert.is((await node.json<unknown[]>('alice', ['history', 'bob'])).length, 2 * IMPOSTORS.length)
})

impostors('registration at an impostor gives nothing away and believes no certificate', async () => {
  const foreign = mallory.certificate.sealed
  const fake = await impostor(({ t, id }) =>
    t === 'auth.map'
      ? [{ t: 'auth.map', id, map: signedMap, gateway }]
      : [{ t: 'auth.certified', id, certificate: toBase64(foreign) }],
  )
  const { code } = await node.chat('victor', ['register', 'victor', '--gateway', fake.url, '--json'])
  assert.is(code, 5)
  assert.is((await node.chat('victor', ['whoami', '--json'])).code, 4)
  assert.is((await node.chat('victor', ['register', 'victor', '--gateway', node.gateway, '--json'])).code, 0)
})

impostors.run()
