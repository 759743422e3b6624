// Reads of a quorum: who exists, certificates united and verified; and records confirmed on W homes before anybody sees them.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { CertificateCache } from '../../src/node/core/ports.ts'
import { armMutant } from '../../src/platform/mutants.ts'
import { toBase64 } from '../../src/protocol/bytes.ts'
import { makeCertificate } from '../../src/protocol/certificate.ts'
import { ChatError } from '../../src/protocol/errors.ts'
import { limits } from '../../src/protocol/limits.ts'
import { deviceIdOf } from '../../src/protocol/records.ts'
import { type RequestOf, type StoredRecord, storeHas } from '../../src/protocol/rpc.ts'
import { fastSigner, keyPairFromSeed, sha256 } from '../../src/protocol/signing.ts'
import { ManualClock } from './gateway-clock.ts'
import { makeMap, clusterId, type Homes, message, signAsAuthority, startHomes } from './mailboxes-homes.ts'

const read = suite('mailboxes: read')
/** Where the records of these tests were read. */
const ORIGIN = { home: 's1', mailbox: 'u:bob', epoch: 1 }
const never = (): Promise<never> => new Promise(() => {})
const codeOf = async (promise: Promise<unknown>): Promise<string> => {
  try {
    await promise
    return 'answered'
  } catch (error) {
    return error instanceof ChatError ? error.code : String(error)
  }
}

const certificate = (user: string, device: string, sign = signAsAuthority): StoredRecord => {
  const { publicKey } = keyPairFromSeed(sha256(Buffer.from(`${user}/${device}`)))
  const dev = deviceIdOf(publicKey)
  const id = `01900000-0000-7000-8000-${dev.slice(0, 12)}`
  const header = { k: 'cert' as const, id, user, dev, key: toBase64(publicKey), serial: 1, at: 1, exp: 2e12 }
  return { sealed: makeCertificate(clusterId, header, sign), acceptedAt: 1 }
}

read('where too few homes answer the DHT is asked, and its certificates are verified like any other', async () => {
  const cached = new Map<string, Uint8Array[]>()
  const certificateCache: CertificateCache = {
    putCertificates: (user, sealed) => Promise.resolve(void cached.set(user, sealed)),
    getCertificates: (user) => Promise.resolve(cached.get(user) ?? []),
  }
  const { mailboxes, home, network } = startHomes(makeMap(1), { certificateCache })
  for (const name of ['s1', 's2', 's3']) home(name).certificates = [certificate('alice', 'phone')]
  const whole = await mailboxes.certificates('alice')
  assert.is(cached.get('alice')?.length, 1, 'what homes said is put into the DHT')
  network.isolate('s1')
  network.isolate('s2')
  mailboxes.forgetCertificates('alice')
  const found = await mailboxes.certificates('alice')
  assert.equal(
    found.map(({ user }) => user),
    ['alice'],
  )
  assert.ok(mailboxes.isCached(found), 'a newer device may be missing')
  assert.not(mailboxes.isCached(whole))
  const forger = fastSigner(sha256(Buffer.from('forger')))
  cached.set('bob', [certificate('bob', 'forged', forger).sealed])
  assert.is(await codeOf(mailboxes.certificates('bob')), 'QUORUM_UNAVAILABLE')
})

read('certificates of R homes are united; forged and foreign ones are left out', async () => {
  const { network, mailboxes, home } = startHomes()
  network.isolate('s3')
  const forger = fastSigner(sha256(Buffer.from('forger')))
  home('s1').certificates = [certificate('alice', 'phone'), certificate('alice', 'forged', forger)]
  home('s2').certificates = [certificate('alice', 'phone'), certificate('alice', 'laptop'), certificate('bob', 'phone')]
  const found = await mailboxes.certificates('alice')
  assert.is(found.length, 2)
  assert.ok(found.every(({ user }) => user === 'alice'))
})

read('fewer than R readable homes cannot say who exists', async () => {
  const { network, mailboxes, home } = startHomes()
  network.isolate('s3')
  home('s2').state = 'syncing'
  assert.is(await codeOf(mailboxes.userExists('alice')), 'QUORUM_UNAVAILABLE')
  armMutant('syncing-home-counted')
  assert.is(await codeOf(mailboxes.userExists('alice')), 'answered')
  armMutant(undefined)
})

read('that a user exists is remembered, that one does not is asked again', async () => {
  const { network, mailboxes, homes } = startHomes()
  assert.is(await mailboxes.userExists('alice'), false)
  for (const home of homes) home.certificates = [certificate('alice', 'phone')]
  assert.is(await mailboxes.userExists('alice'), true)
  for (const home of homes) network.isolate(home.name)
  assert.is(await mailboxes.userExists('alice'), true)
  assert.ok(mailboxes.isKnownUser('alice'))
  assert.is(await codeOf(mailboxes.userExists('bob')), 'QUORUM_UNAVAILABLE')
})

read('a record on W homes is confirmed without writing', async () => {
  const { mailboxes, home, homes } = startHomes()
  const record = message()
  home('s1').keep(record)
  home('s2').keep(record)
  assert.equal(await mailboxes.confirm([record], ORIGIN), [true])
  assert.ok(homes.every(({ appends }) => appends.length === 0))
})

read('a record on one home is written back, and then it is confirmed', async () => {
  const { mailboxes, home } = startHomes()
  const lonely = message()
  const known = message()
  home('s1').keep(lonely)
  for (const name of ['s1', 's3']) home(name).keep(known)
  assert.equal(await mailboxes.confirm([lonely, known], ORIGIN), [true, true])
  assert.is(home('s2').held.size, 2)
})

read('in one mailbox on W homes and in the other not is not confirmed', async () => {
  const { network, mailboxes, home } = startHomes()
  const record = message()
  home('s1').keep(record)
  home('s2').keep({ ...record, mailboxes: ['u:bob'] })
  network.isolate('s3')
  home('s2').state = 'read-only'
  assert.equal(await mailboxes.confirm([record], ORIGIN), [false])
  home('s2').state = 'up'
})

read('what cannot be confirmed is left out, and does not reject', async () => {
  const { network, mailboxes, home } = startHomes()
  const record = message()
  home('s1').keep(record)
  network.isolate('s2')
  network.isolate('s3')
  assert.equal(await mailboxes.confirm([record], ORIGIN), [false])
  armMutant('unconfirmed-delivered')
  assert.equal(await mailboxes.confirm([record], ORIGIN), [true])
  armMutant(undefined)
})

read('a home that hangs is passed over after a moment', async () => {
  const clock = new ManualClock()
  const { mailboxes, home } = startHomes(makeMap(1), { clock })
  const record = message()
  for (const name of ['s1', 's2', 's3']) home(name).keep(record)
  // Whichever of the two is asked first: the other one is asked after it.
  let isFirst = true
  for (const name of ['s2', 's3']) {
    const { transport } = home(name)
    const answer = transport.answer.bind(transport)
    transport.answer = (...asked) => {
      if (!isFirst) return answer(...asked)
      isFirst = false
      return never()
    }
  }
  const confirmed = mailboxes.confirm([record], ORIGIN)
  await clock.advance(limits.hedgeMs)
  assert.equal(await confirmed, [true])
})

/** Mailboxes about which each home is asked. */
const watchQuestions = ({ homes }: Homes): Map<string, string[]> => {
  const asked = new Map<string, string[]>()
  for (const { name, transport } of homes) {
    const answer = transport.answer.bind(transport)
    transport.answer = (method, request, from) => {
      const { items } = request as RequestOf<typeof storeHas> // nothing else is asked here
      if (method === storeHas.name)
        asked.set(name, [...(asked.get(name) ?? []), ...items.map(({ mailbox }) => mailbox)])
      return answer(method, request, from)
    }
  }
  return asked
}

read('no more homes are asked than it takes, and none about what it has shown', async () => {
  const world = startHomes(makeMap(1), { clock: new ManualClock() })
  const asked = watchQuestions(world)
  const record = message()
  world.home('s1').keep({ ...record, mailboxes: ['u:alice'] })
  for (const name of ['s2', 's3']) world.home(name).keep(record)
  assert.equal(await world.mailboxes.confirm([record], ORIGIN), [true])
  assert.equal(asked.get('s1'), ['u:alice'])
  assert.is(asked.size, 2)
  assert.equal(asked.get('s2') ?? asked.get('s3'), ['u:bob', 'u:alice'])
})

read('what it has shown counts for that mailbox only, and under that map only', async () => {
  const { network, mailboxes, home } = startHomes()
  network.isolate('s3')
  const [inBobs, inAlices] = [message(), message()]
  home('s1').keep({ ...inBobs, mailboxes: ['u:bob'] })
  home('s1').keep({ ...inAlices, mailboxes: ['u:alice'] })
  for (const record of [inBobs, inAlices]) home('s2').keep(record)
  home('s2').state = 'read-only' // so that nothing can be written back
  assert.equal(await mailboxes.confirm([inBobs, inAlices], ORIGIN), [false, true])
  assert.equal(await mailboxes.confirm([inAlices], { ...ORIGIN, epoch: 0 }), [false])
})

read('a malformed record is not confirmed', async () => {
  const { mailboxes } = startHomes()
  assert.equal(await mailboxes.confirm([{ sealed: new Uint8Array(80), acceptedAt: 1 }], ORIGIN), [false])
})

read.run()
