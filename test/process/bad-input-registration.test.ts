// Registration where it is closed: without a good invite nobody gets a name, no name is taken from anybody, a refusal spends
// nothing, and whoever asks again with the same key gets the same certificate.
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { fromBase64, fromHex, toBase64 } from '../../src/protocol/bytes.ts'
import { openCertificate } from '../../src/protocol/certificate.ts'
import { chatdJson, cleanUp, newDirectory, type NodeProcess, startNode } from '../node-process.ts'
import { answerOf, clusterOf, type Frame, Person, RawClient } from './raw-client.ts'
import { run } from './world.ts'

const registration = suite('registration')
let node: NodeProcess
let url = ''
let cluster = ''

registration.before(async () => {
  node = await startNode(join(newDirectory(), 'node'), '--role', 'all', '--ws', '127.0.0.1:0')
  url = node.ready.ws ?? ''
  const client = await RawClient.open(url)
  cluster = await clusterOf(client)
  client.end()
})
registration.after(async () => {
  assert.not.match(node.output.stderr, /unexpectedly|the node fails/)
  assert.is((await node.stop()).code, 0)
  await cleanUp()
})

const inviteFor = async (...flags: string[]): Promise<string> =>
  (await chatdJson<{ code: string }>('invite', '--data', node.data, ...flags)).code
/** Each on a connection of its own: strangers may ask little. */
const ask = async (t: string, claim: string): Promise<Frame> => {
  const client = await RawClient.open(url)
  const answer = await client.request(t, { claim })
  client.end()
  return answer
}
const register = async (person: Person, fields: Record<string, unknown>): Promise<string> => {
  const answer = await ask('auth.register', person.claim(fields))
  if (answer.t === 'auth.certified') person.certify(answer)
  return answerOf(answer)
}

registration('an invite is needed: a good one, once for each use', async () => {
  const invite = await inviteFor('--uses', '2')
  const expired = await inviteFor('--ttl', '1ms')
  const [alice, bob, carol] = [new Person(cluster), new Person(cluster), new Person(cluster)]
  for (const wrong of [undefined, '', 'ABCD-EFGH-IJKL-MNOP', expired, 5, {}, 'x'.repeat(5_000)]) {
    assert.is(
      await register(alice, { name: 'alice', invite: wrong }),
      'AUTH_INVITE',
      JSON.stringify(wrong)?.slice(0, 20),
    )
  }
  assert.is(
    await register(alice, { name: 'alice', invite: invite.toLowerCase().replaceAll('-', ' ') }),
    'auth.certified',
  )
  const first = toBase64(alice.certificate.sealed)
  // The same key and name again: whatever became of the invite, the same answer, and nothing spent.
  for (const again of [invite, undefined, 'nonsense']) {
    assert.is(await register(alice, { name: 'alice', invite: again }), 'auth.certified')
    assert.is(toBase64(alice.certificate.sealed), first)
  }
  assert.is(await register(bob, { name: 'bob', invite }), 'auth.certified')
  assert.is(await register(carol, { name: 'carol', invite }), 'AUTH_INVITE', 'used up')
  assert.is(await register(alice, { name: 'alice' }), 'auth.certified', 'used up, and still the same')
})

registration('a taken or illegal name spends no invite', async () => {
  const invite = await inviteFor()
  const dave = new Person(cluster)
  assert.is(await register(dave, { name: 'alice', invite }), 'AUTH_NAME_TAKEN')
  const illegal = [
    '',
    'Dave',
    '1dave',
    'd'.repeat(33),
    'da ve',
    '#dave',
    'däve',
    'dave\n',
    '../dave',
    '__proto__',
    'da\u0000ve',
    5,
    null,
    {},
  ]
  for (const name of [...illegal, undefined]) {
    assert.is(await register(dave, { name, invite }), 'AUTH_NAME_ILLEGAL', JSON.stringify(name))
  }
  assert.is(await register(dave, { name: 'dave', invite }), 'auth.certified')
  assert.is(await register(dave, { name: 'david', invite }), 'AUTH_DENIED', 'one key is one device of one user')
  // Names that JavaScript has a meaning for are names like others.
  const odd = new Person(cluster)
  assert.is(await register(odd, { name: 'constructor', invite: await inviteFor() }), 'auth.certified')
  const session = await odd.login(url)
  const record = toBase64(odd.message('dave', 'hello'))
  assert.is(answerOf(await session.request('record.put', { record })), 'record.stored')
  assert.is(answerOf(await session.request('certificate.get', { user: 'valueof' })), 'USER_UNKNOWN')
  session.end()
})

registration('two who want the same name at once: one gets it', async () => {
  const invite = await inviteFor('--uses', '10')
  const people = Array.from({ length: 8 }, () => new Person(cluster))
  const answers = await Promise.all(people.map((person) => register(person, { name: 'frank', invite })))
  assert.equal(answers.toSorted(), [...Array.from({ length: 7 }, () => 'AUTH_NAME_TAKEN'), 'auth.certified'])
  const last = await Promise.all(people.map((person, i) => register(person, { name: `frank-${i}`, invite })))
  assert.equal(last.filter((answer) => answer === 'auth.certified').length, 7)
  assert.is(last.filter((answer) => answer === 'AUTH_DENIED').length, 1, 'he who is frank already')
})

registration('claims that prove nothing', async () => {
  const [grace, other] = [new Person(cluster), new Person(cluster)]
  const invite = await inviteFor()
  const header = (key: Uint8Array): { k: string; [field: string]: unknown } => ({
    k: 'claim',
    key: toBase64(key),
    at: Date.now(),
    name: 'grace',
    invite,
  })
  const weak = fromHex('ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f')
  const elsewhere = new Person('00'.repeat(32))
  const claims: [what: string, claim: string, code: string][] = [
    ['signed by another key', toBase64(other.seal(header(grace.keys.publicKey))), 'AUTH_SIGNATURE'],
    ['for another cluster', elsewhere.claim({ name: 'grace', invite }), 'AUTH_SIGNATURE'],
    ['of a small-order key', toBase64(grace.seal(header(weak))), 'AUTH_KEY_WEAK'],
    ['of half a key', toBase64(grace.seal(header(grace.keys.publicKey.subarray(16)))), 'AUTH_KEY_WEAK'],
    ['without a key', toBase64(grace.seal({ k: 'claim', name: 'grace', at: 1 })), 'MESSAGE_INVALID'],
    ['of another kind', toBase64(grace.seal({ ...header(grace.keys.publicKey), k: 'link' })), 'MESSAGE_INVALID'],
    ['that is nothing', '', 'MESSAGE_INVALID'],
    ['that is garbage', 'A'.repeat(8_000), 'MESSAGE_INVALID'],
  ]
  for (const [what, claim, code] of claims) {
    assert.is(answerOf(await ask('auth.register', claim)), code, what)
    assert.is(answerOf(await ask('link.begin', claim)), code, `${what}, to be linked`)
  }
  assert.is(await register(grace, { name: 'grace', invite }), 'auth.certified', 'and the invite is whole')
})

registration('a device is linked only by a device of the user, for the key that shows the code', async () => {
  const invite = await inviteFor('--uses', '2')
  const [heidi, ivan, laptop] = [new Person(cluster), new Person(cluster), new Person(cluster)]
  await register(heidi, { name: 'heidi', invite })
  await register(ivan, { name: 'ivan', invite })
  const { code } = await ask('link.begin', laptop.claim({}))
  const [atHeidi, atIvan] = [await heidi.login(url), await ivan.login(url)]
  const approval = (person: Person, fields: Record<string, unknown> = {}): string => {
    const key = toBase64(laptop.keys.publicKey)
    const { user, device: dev } = person
    return toBase64(person.seal({ k: 'link', user, dev, key, exp: Date.now() + 60_000, ...fields }))
  }
  const approve = async (at: RawClient, text: string, fields = { code }): Promise<string> =>
    answerOf(await at.request('link.approve', { ...fields, approval: text }))
  assert.is(await approve(atHeidi, approval(heidi), { code: 'ABCD-EFGH-IJKL-MNOP' }), 'LINK_UNKNOWN')
  assert.is(await approve(atIvan, approval(heidi)), 'AUTH_DENIED', 'an approval of another user')
  assert.is(await approve(atHeidi, approval(heidi, { key: toBase64(ivan.keys.publicKey) })), 'AUTH_DENIED')
  assert.is(await approve(atHeidi, approval(heidi, { exp: Date.now() - 3_600_000 })), 'AUTH_EXPIRED')
  assert.is(await approve(atHeidi, approval(heidi, { k: 'revoke' })), 'MESSAGE_INVALID')
  const { user, device } = heidi
  const byIvan = toBase64(
    ivan.seal({ k: 'link', user, dev: device, key: toBase64(laptop.keys.publicKey), exp: Date.now() + 60_000 }),
  )
  assert.is(await approve(atHeidi, byIvan), 'AUTH_SIGNATURE')
  assert.is((await ask('link.begin', laptop.claim({}))).t, 'link.code', 'nobody has approved it')
  assert.is(await approve(atHeidi, approval(heidi)), 'auth.certified')
  const linked = await ask('link.begin', laptop.claim({}))
  assert.is(openCertificate(fromBase64(String(linked.certificate)), cluster).user, 'heidi')
  atHeidi.end()
  atIvan.end()
})

registration('the command says it with its exit codes', async () => {
  const home = ['--home', newDirectory(), '--profile', 'judy']
  const invite = await inviteFor()
  const chat = async (...args: string[]): Promise<[number, string]> => {
    const { code, stdout } = await run('chat', [...home, 'register', ...args, '--gateway', url, '--json'])
    const { error, user } = JSON.parse(stdout) as { error?: { code: string }; user?: string } // interface.md
    return [code, error?.code ?? user ?? '']
  }
  assert.equal(await chat('judy'), [5, 'AUTH_INVITE'])
  assert.equal(await chat('judy', '--invite', 'nonsense'), [5, 'AUTH_INVITE'])
  assert.equal(await chat('alice', '--invite', invite), [5, 'AUTH_NAME_TAKEN'])
  assert.equal(await chat('Judy', '--invite', invite), [2, 'AUTH_NAME_ILLEGAL'])
  assert.equal(await chat('judy', '--invite', invite), [0, 'judy'])
  assert.equal(await chat('judy', '--invite', invite), [0, 'judy'])
})

registration.run()
