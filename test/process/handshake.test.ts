// Login at a real node, by hand: whoever does not hold a certified key, on this connection, for this gateway and this cluster,
// now, gets in nowhere. The authority's key is read from the node's directory, so that even what it should never sign is tried.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import { uuidv7 } from 'uuidv7'
import * as assert from 'uvu/assert'
import { systemRandom } from '../../src/platform/system.ts'
import { fromBase64, fromHex, toBase64 } from '../../src/protocol/bytes.ts'
import { type CertificateHeader, makeCertificate } from '../../src/protocol/certificate.ts'
import { gatewayTranscript } from '../../src/protocol/handshake.ts'
import { limits } from '../../src/protocol/limits.ts'
import { deviceIdOf } from '../../src/protocol/records.ts'
import { fastSigner, keyPairFromSeed, verifierFor } from '../../src/protocol/signing.ts'
import { openMap } from '../../src/protocol/cluster-map.ts'
import { cleanUp, newDirectory, type NodeProcess, startNode } from '../node-process.ts'
import { answerOf, type Frame, Person, RawClient } from './raw-client.ts'
import { Witness } from './witness.ts'

const handshake = suite('handshake of a real node')
let node: NodeProcess
let url = ''
let carol: Person
let witness: Witness
/** Signs as the cluster's authority. */
let authority: (message: Uint8Array) => Uint8Array

handshake.before(async () => {
  node = await startNode(join(newDirectory(), 'node'), '--role', 'all', '--ws', '127.0.0.1:0', '--open-registration')
  url = node.ready.ws ?? ''
  authority = fastSigner(fromHex(readFileSync(join(node.data, 'authority.key'), 'utf8').trim()))
  witness = await Witness.start(url)
  carol = await Person.register(url, 'carol')
})
handshake.after(async () => {
  await witness.round('at the end')
  await witness.audit()
  witness.end()
  assert.not.match(node.output.stderr, /unexpectedly|the node fails/)
  assert.is((await node.stop()).code, 0)
  await cleanUp()
})

/** Authenticated clients may ask this. */
const isIn = async (client: RawClient): Promise<boolean> =>
  answerOf(await client.request('certificate.get', { user: 'carol' })) === 'certificate.list'
const prove = (
  client: RawClient,
  { signature, capability }: { signature: string; capability: string },
): Promise<Frame> => client.request('auth.prove', { signature, capability })

const withClient = async (use: (client: RawClient) => Promise<void>): Promise<void> => {
  const client = await RawClient.open(url)
  await use(client)
  client.end()
}
/** `auth.prove` of Carol after a good hello, with something wrong in it, does not let her in. */
const refusedProof = (
  code: string,
  spoil: (shaken: Awaited<ReturnType<Person['begin']>>) => Partial<{ signature: string; capability: string }>,
): Promise<void> =>
  withClient(async (client) => {
    const shaken = await carol.begin(client)
    assert.is(answerOf(await prove(client, { ...shaken, ...spoil(shaken) })), code)
    assert.not(await isIn(client))
    // One try per challenge, also with the right proof.
    assert.is(answerOf(await prove(client, shaken)), 'AUTH_REPLAY')
  })

handshake('the gateway proves itself first, by the key that stands in the signed map', () =>
  withClient(async (client) => {
    const { challenge, nonce, ...proof } = await carol.begin(client)
    const { map } = openMap(fromBase64(String(challenge.map)), carol.cluster)
    const key = map.nodes.find(({ peer }) => peer === challenge.gateway)?.key ?? ''
    const { user, device, cluster } = carol
    const nonces = { clientNonce: nonce, gatewayNonce: String(challenge.nonce) }
    const transcript = gatewayTranscript({ cluster, gateway: String(challenge.gateway), user, device, ...nonces })
    assert.ok(verifierFor(fromBase64(key)).verify(transcript, fromBase64(String(challenge.signature))))
    assert.is(answerOf(await prove(client, proof)), 'auth.welcome')
    assert.ok(await isIn(client))
  }),
)

handshake('a recorded proof is worth nothing on another connection, nor twice on its own', async () => {
  const first = await RawClient.open(url)
  const recorded = await carol.begin(first)
  await withClient(async (second) => {
    assert.is(answerOf(await prove(second, recorded)), 'AUTH_REPLAY', 'without a challenge')
    const certificate = toBase64(carol.certificate.sealed)
    await second.request('auth.hello', { certificate, nonce: recorded.nonce })
    assert.is(answerOf(await prove(second, recorded)), 'AUTH_REPLAY', 'with the same nonce of the client')
    assert.not(await isIn(second))
  })
  assert.is(answerOf(await prove(first, recorded)), 'auth.welcome')
  assert.is(answerOf(await prove(first, recorded)), 'FRAME_INVALID')
  assert.is(answerOf(await first.request('auth.hello', { certificate: '', nonce: '' })), 'FRAME_INVALID')
  assert.ok(await isIn(first), 'the session goes on')
  first.end()
})

handshake('a proof made for another gateway, user, cluster or side is refused', async () => {
  const other = '12D3KooWGdkr1K2onosWhmQLn9Qs3qhyPFpnQAnxnErZ7rP6scG3'
  await refusedProof('AUTH_REPLAY', ({ challenge, nonce }) => ({
    signature: carol.prove({ ...challenge, gateway: other }, nonce).signature,
  }))
  await refusedProof('AUTH_REPLAY', ({ challenge }) => ({ signature: String(challenge.signature) }))
  const stranger = new Person(carol.cluster)
  await refusedProof('AUTH_REPLAY', ({ nonce }) => ({ signature: toBase64(stranger.sign(fromBase64(nonce))) }))
})

handshake('signatures are strict: no other form of a good one is taken', async () => {
  const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n
  await refusedProof('AUTH_REPLAY', ({ signature }) => {
    const bytes = fromBase64(signature)
    const s = BigInt(`0x${Buffer.from(bytes.subarray(32)).reverse().toString('hex')}`) + ORDER
    const malleated = Buffer.from(s.toString(16).padStart(64, '0'), 'hex').reverse()
    return { signature: toBase64(Buffer.concat([bytes.subarray(0, 32), malleated])) }
  })
  for (const signature of ['', 'AAAA', toBase64(Buffer.alloc(63)), toBase64(Buffer.alloc(65))]) {
    await refusedProof('AUTH_SIGNATURE', () => ({ signature }))
  }
  await refusedProof('AUTH_REPLAY', () => ({ signature: toBase64(Buffer.alloc(64)) }))
})

handshake('capabilities: for this gateway, of this device, for a little while', async () => {
  const gatewayOf = ({ challenge }: { challenge: Frame }): string => String(challenge.gateway)
  const dave = await Person.register(url, 'dave')
  await refusedProof('AUTH_DENIED', () => ({ capability: carol.capability('elsewhere') }))
  await refusedProof('AUTH_EXPIRED', (shaken) => ({
    capability: carol.capability(gatewayOf(shaken), Date.now() - limits.clockSkewMs - 1_000),
  }))
  await refusedProof('AUTH_DENIED', (shaken) => ({
    capability: carol.capability(gatewayOf(shaken), Date.now() + 24 * 3_600_000),
  }))
  await refusedProof('AUTH_DENIED', (shaken) => ({ capability: dave.capability(gatewayOf(shaken)) }))
  await refusedProof('AUTH_SIGNATURE', (shaken) => {
    const bytes = fromBase64(carol.capability(gatewayOf(shaken)))
    bytes.writeUInt8(bytes.readUInt8(5) ^ 1, 5)
    return { capability: toBase64(bytes) }
  })
  await refusedProof('AUTH_SIGNATURE', () => ({ capability: carol.claim({ name: 'carol' }) }))
  await refusedProof('MESSAGE_INVALID', () => ({ capability: 'AAAA' }))
  const session = await carol.login(url)
  for (const capability of ['', 'AAAA', carol.capability('elsewhere'), dave.capability(String(node.ready.peerId))]) {
    assert.is((await session.request('auth.capability', { capability })).t, 'error')
  }
  assert.is((await session.request('auth.capability', { capability: carol.capability(node.ready.peerId) })).t, 'ok')
  session.end()
})

interface Forgery {
  header?: Partial<CertificateHeader>
  sign?: (message: Uint8Array) => Uint8Array
  cluster?: string
}
/** A certificate for Carol's key as the authority might sign it. */
const forge = ({ header = {}, sign = authority, cluster = carol.cluster }: Forgery): Uint8Array => {
  const key = toBase64(carol.keys.publicKey)
  const at = Date.now()
  const honest = {
    k: 'cert' as const,
    id: uuidv7(),
    user: 'carol',
    dev: carol.device,
    key,
    serial: 1,
    at,
    exp: at + 60_000,
  }
  return makeCertificate(cluster, { ...honest, ...header }, sign)
}
const helloWith = async (certificate: Uint8Array): Promise<string> => {
  const client = await RawClient.open(url)
  const nonce = toBase64(systemRandom.bytes(32))
  const answer = answerOf(await client.request('auth.hello', { certificate: toBase64(certificate), nonce }))
  if (answer !== 'auth.challenge') assert.not(await isIn(client))
  client.end()
  return answer
}

/** All points of small order (RFC 7748 section 6, and their forms that are not canonical), and what is no point. */
const WEAK_KEYS = [
  '0100000000000000000000000000000000000000000000000000000000000000',
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0000000000000000000000000000000000000000000000000000000000000080',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '0200000000000000000000000000000000000000000000000000000000000000',
  '01',
].map(fromHex)

handshake('a key that proves nothing is refused even with a certificate', async () => {
  for (const key of WEAK_KEYS) {
    const header = { key: toBase64(key), dev: deviceIdOf(key) }
    assert.is(await helloWith(forge({ header })), 'AUTH_KEY_WEAK', key.toString('hex'))
  }
})

handshake('certificates: of this cluster, whole, of this device, not expired', async () => {
  assert.is(await helloWith(forge({})), 'auth.challenge', 'what is forged by the real key is believed')
  assert.is(await helloWith(forge({ header: { exp: Date.now() - 1 } })), 'AUTH_EXPIRED')
  const foreign = keyPairFromSeed(systemRandom.bytes(32))
  const sign = fastSigner(foreign.secretKey)
  assert.is(await helloWith(forge({ sign })), 'AUTH_SIGNATURE')
  assert.is(await helloWith(forge({ sign, cluster: Buffer.from(foreign.publicKey).toString('hex') })), 'AUTH_SIGNATURE')
  assert.is(await helloWith(forge({ sign: carol.sign })), 'AUTH_SIGNATURE', 'signed by herself')
  assert.is(await helloWith(forge({ header: { dev: '0123456789abcdef' } })), 'AUTH_SIGNATURE')
  assert.is(await helloWith(forge({ header: { user: 'Not A Name' } })), 'AUTH_SIGNATURE')
  const changed = Buffer.from(carol.certificate.sealed)
  changed.write('karol', changed.indexOf('carol'))
  assert.is(await helloWith(changed), 'AUTH_SIGNATURE')
  assert.is(await helloWith(carol.message('alice', 'no certificate')), 'AUTH_SIGNATURE')
  assert.is(await helloWith(Buffer.alloc(200, 0x41)), 'MESSAGE_INVALID')
})

handshake('nonces are 32 bytes', () =>
  withClient(async (client) => {
    const certificate = toBase64(carol.certificate.sealed)
    for (const nonce of [
      '',
      'A'.repeat(44),
      `${'A'.repeat(42)}\n=`,
      `${'A'.repeat(43)}=\n`,
      toBase64(Buffer.alloc(33)),
    ]) {
      assert.is(answerOf(await client.request('auth.hello', { certificate, nonce })), 'FRAME_INVALID', nonce)
    }
  }),
)

handshake('a second hello begins anew; the last challenge counts', () =>
  withClient(async (client) => {
    const first = await carol.begin(client)
    const second = await carol.begin(client)
    assert.is(answerOf(await prove(client, first)), 'AUTH_REPLAY')
    assert.is(answerOf(await prove(client, second)), 'AUTH_REPLAY', 'one try per challenge')
    assert.is(answerOf(await prove(client, await carol.begin(client))), 'auth.welcome')
  }),
)

handshake('a revoked device is out at once, and stays out', async () => {
  const thief = await Person.register(url, 'erin')
  const session = await thief.login(url)
  const { user, device } = thief
  const revocation = toBase64(thief.seal({ k: 'revoke', user, dev: device, target: device, at: Date.now() }))
  session.socket.send(JSON.stringify({ t: 'device.revoke', id: 99, revocation }))
  assert.is((await session.closed).reason, 'AUTH_REVOKED')
  assert.is(await helloWith(thief.certificate.sealed), 'AUTH_REVOKED')
})

handshake.run()
