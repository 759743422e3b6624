// Records that no honest device signs, put into a real node by hand. What is malformed is refused and leaves nothing; what only
// recipients can judge is stored and then neither shown nor able to harm a real client. Texts are kept exactly.
import { uuidv7 } from 'uuidv7'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { toBase64, toHex, toUtf8 } from '../../src/protocol/bytes.ts'
import { limits } from '../../src/protocol/limits.ts'
import { recordKey } from '../../src/protocol/records.ts'
import { openHeader } from '../../src/protocol/sealed.ts'
import { ChatNode } from './chat-node.ts'
import { answerOf, Person, type RawClient } from './raw-client.ts'
import { idsOf, Witness } from './witness.ts'

const records = suite('bad records')
const node = new ChatNode()
let mallory: Person
let session: RawClient
let witness: Witness
const DAY_MS = 24 * 3_600_000

records.before(async () => {
  await node.start()
  witness = await Witness.start(node.gateway, ['wendy', 'walt'])
  await node.register('alice', 'bob')
  mallory = await Person.register(node.gateway, 'mallory')
  session = await mallory.login(node.gateway)
})
records.after.each(() => witness.round('after a test'))
records.after(async () => {
  await witness.audit()
  witness.end()
  session.end()
  await node.close()
})

const put = async (record: Uint8Array | string): Promise<string> =>
  answerOf(await session.request('record.put', { record: typeof record === 'string' ? record : toBase64(record) }))
const idOf = (record: Uint8Array): string => String(openHeader(record).id)

interface Shown {
  id: string
  from: string
  text: string
}
const shownTo = (user: string, other: string): Promise<Shown[]> =>
  node.json(user, ['history', other, '--limit', '1000'])
const textsTo = async (user: string, other: string): Promise<string[]> =>
  (await shownTo(user, other)).map(({ text }) => text)

/** What a user sees from mallory beyond what was there before. */
const shownSince = async (user: string, before: Shown[]): Promise<Shown[]> =>
  (await shownTo(user, 'mallory')).filter(({ id }) => before.every((known) => known.id !== id))

type Fields = Record<string, unknown>
const message = (fields: Fields): Uint8Array =>
  mallory.seal({ ...mallory.header('msg', 'bob', { seq: 1, ct: 'chat/1' }), ...fields }, '{}\nx')
const receipt = (fields: Fields): Uint8Array =>
  mallory.seal({ ...mallory.header('rcpt', 'bob', { st: 'read', r: [[mallory.device, 1, 1]] }), ...fields })
const setting = (fields: Fields, body = '{}'): Uint8Array =>
  mallory.seal({ ...mallory.header('set', 'mallory', { key: 'x' }), ...fields }, body)
const ranges = (count: number): [string, number, number][] =>
  Array.from({ length: count }, (_, i) => [mallory.device, i + 1, i + 1])

const MALFORMED: [what: string, make: () => Uint8Array | string, code?: string][] = [
  ['no id', () => message({ id: undefined })],
  ['an id of version 4', () => message({ id: '00000000-0000-4000-8000-000000000000' })],
  ['an id in capitals', () => message({ id: uuidv7().toUpperCase() })],
  ['of another user', () => message({ from: 'bob', to: 'mallory' })],
  ['of another device', () => message({ dev: '0123456789abcdef' })],
  ['to no name', () => message({ to: 'B o b', conv: 'B o b:mallory' })],
  ['to the name of a group', () => message({ to: '#ops', conv: '#ops' }), 'MESSAGE_INVALID'],
  ['to nobody', () => message({ to: 'nobody', conv: 'mallory:nobody' }), 'USER_UNKNOWN'],
  ['to constructor', () => message({ to: 'constructor', conv: 'constructor:mallory' }), 'USER_UNKNOWN'],
  ['in another conversation', () => message({ conv: 'alice:bob' })],
  ['in no conversation', () => message({ conv: undefined })],
  ['in the conversation backwards', () => message({ conv: 'mallory:bob' })],
  ...[undefined, 0, -1, 1.5, '1', null, [], 2 ** 48, Number.MAX_SAFE_INTEGER, 1e300].map(
    (seq): [string, () => Uint8Array] => [`seq ${String(seq)}`, () => message({ seq })],
  ),
  ...[undefined, 0, -5, 'now', 1.5].map((at): [string, () => Uint8Array] => [
    `at ${String(at)}`,
    () => message({ at }),
  ]),
  ['a time beyond all times', () => message({ at: Number.MAX_SAFE_INTEGER })],
  ['from the far past', () => message({ at: Date.now() - 366 * DAY_MS }), 'MESSAGE_TIME'],
  ['from the future', () => message({ at: Date.now() + limits.maxAheadMs + 60_000 }), 'MESSAGE_TIME'],
  ['from the next century', () => message({ at: 2 ** 47 }), 'MESSAGE_TIME'],
  ['no content type', () => message({ ct: undefined })],
  ['expired', () => message({ exp: Date.now() - 1 })],
  ['an expiry that is no time', () => message({ exp: 'soon' })],
  ['an unknown kind', () => message({ k: 'memo' })],
  ['a kind that every object has', () => message({ k: '__proto__' })],
  ['a certificate', () => toBase64(mallory.certificate.sealed)],
  ['what is left of a deleted one', () => message({ k: 'stub' })],
  ['no header', () => Buffer.alloc(100)],
  ['an empty header', () => Buffer.concat([Buffer.alloc(64), toUtf8('\n')])],
  ['a header that is a list', () => Buffer.concat([Buffer.alloc(64), toUtf8('[]\n')])],
  ['a header too deep to close', () => Buffer.concat([Buffer.alloc(64), toUtf8(`${'['.repeat(50_000)}\n`)])],
  ['three bytes', () => Buffer.alloc(3)],
  [
    'too large',
    () => mallory.seal(mallory.header('msg', 'bob', { seq: 1, ct: 'x' }), Buffer.alloc(limits.maxRecordBytes)),
    'MESSAGE_TOO_LARGE',
  ],
  ['a receipt without ranges', () => receipt({ r: [] })],
  ['a receipt whose ranges are text', () => receipt({ r: 'all' })],
  ['a receipt backwards', () => receipt({ r: [[mallory.device, 5, 1]] })],
  ['a receipt for everything', () => receipt({ r: [[mallory.device, 1, Number.MAX_SAFE_INTEGER]] })],
  ['a receipt of too many ranges', () => receipt({ r: ranges(limits.maxReceiptRanges + 1) })],
  ['a receipt of an unknown state', () => receipt({ st: 'eaten' })],
  ['a receipt for oneself', () => receipt({ to: 'mallory', conv: 'mallory:mallory' })],
  ['a setting of another', () => setting({ to: 'bob' })],
  ['a setting with a long key', () => setting({ key: 'x'.repeat(129) })],
  ['a large setting', () => setting({}, 'x'.repeat(20_000))],
  ['a deletion of nothing', () => mallory.seal(mallory.header('tomb', 'bob', { target: 'zz' }))],
  [
    'an unsigned deletion',
    () => unsigned(mallory.seal(mallory.header('tomb', 'bob', { target: '00'.repeat(32) }))),
    'AUTH_SIGNATURE',
  ],
  ['no base64', () => '"],["'],
  ['nothing', () => ''],
  ['base64 with a space', () => ` ${toBase64(message({}))}`],
  ['base64 of URLs', () => toBase64(message({})).replace(/.$/, '_')],
  ['base64 with a newline', () => `${toBase64(message({}))}\n\n\n\n`],
  ['base64 with stray bits', () => withStrayBits()],
]
const unsigned = (record: Uint8Array): Buffer => Buffer.concat([Buffer.alloc(64), record.subarray(64)])
/** The same bytes in other letters. */
const withStrayBits = (): string => {
  const header = mallory.header('msg', 'bob', { seq: 1, ct: 'chat/1' })
  for (const body of ['{}\n', '{}\nx', '{}\nxx']) {
    const text = toBase64(mallory.seal(header, body))
    if (text.endsWith('==')) return text.replace(/.==$/, (end) => `${String.fromCharCode(end.charCodeAt(0) + 1)}==`)
  }
  throw new Error('one of three lengths leaves one byte over')
}

records('what is malformed is refused, each with its code, and leaves nothing', async () => {
  for (const [what, make, code = 'MESSAGE_INVALID'] of MALFORMED) assert.is(await put(make()), code, what)
  assert.equal(await idsOf(node.gateway, mallory), [])
  assert.equal(await shownTo('bob', 'mallory'), [])
})

records('the edges of what is allowed are stored', async () => {
  const honest = [
    mallory.message('bob', 'the first'),
    mallory.message('bob', 'a little ahead', { at: Date.now() + limits.maxAheadMs - 60_000 }),
    mallory.message('bob', 'with fields of a newer version', { more: { and: ['more'] } }),
    mallory.seal(mallory.header('void', 'bob', { seq: limits.maxNumber })),
    mallory.seal(mallory.header('rcpt', 'bob', { st: 'received', r: [[mallory.device, 1, limits.maxNumber]] })),
  ]
  for (const record of honest) assert.is(await put(record), 'record.stored')
  for (const record of honest) assert.is(await put(record), 'record.stored', 'again, the same bytes')
  assert.equal((await textsTo('bob', 'mallory')).toSorted(), [
    'a little ahead',
    'the first',
    'with fields of a newer version',
  ])
  const answer = await node.json<{ status: string }>('bob', ['send', 'mallory', 'an answer to the future'])
  assert.is(answer.status, 'stored')
})

/** Bodies of signed messages, and the text a client makes of them. */
const BODIES: [body: string | Uint8Array, text: string][] = [
  ['{"attachments":5}\na', 'a'],
  ['{"reply":{"a":1}}\nb', 'b'],
  ['{"mentions":7}\nc', 'c'],
  ['{"__proto__":{"text":"no"},"constructor":1,"text":"no"}\nd', 'd'],
  ['[]\ne', 'e'],
  ['{}\n\u001b]0;title\u0007\u202e\u0000f', '\u001b]0;title\u0007\u202e\u0000f'],
  ['null\nno', ''],
  ['not json\nno', ''],
  ['', ''],
  [`${'['.repeat(60_000)}\nno`, ''],
]

records('hostile contents harm no client', async () => {
  const before = await shownTo('bob', 'mallory')
  for (const [i, [body]] of BODIES.entries()) {
    const header = mallory.header('msg', 'bob', { seq: 100 + 2 * i, ct: 'chat/1' })
    assert.is(await put(mallory.seal(header, body)), 'record.stored')
  }
  // All with gaps between them: one command waits for what lacks, then shows them all the same.
  const texts = (await shownSince('bob', before)).map(({ text }) => text)
  assert.equal(texts.toSorted(), BODIES.map(([, text]) => text).toSorted())
  for (const args of [['inbox'], ['search', 'e'], ['read', 'mallory'], ['history', 'mallory']]) {
    const { code, stdout } = await node.chat('bob', args)
    assert.is(code, 0, args[0])
    for (const control of ['\u001b', '\u0007', '\u202e', '\u0000']) assert.not.ok(stdout.includes(control))
  }
})

records('what mallory did not sign, or may not say, is stored at most and never shown', async () => {
  const before = await shownTo('bob', 'mallory')
  const forged = unsigned(mallory.message('bob', 'forged'))
  assert.is(await put(forged), 'record.stored')
  const stranger = new Person(mallory.cluster)
  const header = mallory.header('msg', 'bob', { seq: 7, ct: 'chat/1' })
  assert.is(await put(stranger.seal(header, '{}\nby another key')), 'record.stored')
  const elsewhere = new Person('00'.repeat(32))
  assert.is(await put(elsewhere.seal({ ...header, id: uuidv7() }, '{}\nfor another cluster')), 'record.stored')
  const first = mallory.message('bob', 'the first under its id')
  assert.is(await put(first), 'record.stored')
  const second = mallory.seal(mallory.header('msg', 'bob', { seq: 8, ct: 'chat/1', id: idOf(first) }), '{}\nthe second')
  assert.is(await put(second), 'record.stored')
  const after = await shownSince('bob', before)
  assert.equal(
    after.map(({ text }) => text),
    ['the first under its id'],
  )
})

records('nobody deletes, reads or receives for others', async () => {
  const sent = await node.json<{ id: string }>('alice', ['send', 'bob', 'mine to delete'])
  const [shown] = await shownTo('bob', 'alice')
  assert.is(shown?.id, sent.id)
  // Its record key is not mallory's to know, but may be guessed by whoever sees it; every device of the world is tried for the receipt.
  const target = toHex(recordKey(sent.id, Buffer.alloc(0)))
  assert.is(await put(mallory.seal(mallory.header('tomb', 'bob', { target }))), 'record.stored')
  const { device } = await node.json<{ device: string }>('alice', ['whoami'])
  assert.is(
    await put(mallory.seal(mallory.header('rcpt', 'alice', { st: 'read', r: [[device, 1, 100]] }))),
    'record.stored',
  )
  const report = await node.json<{ recipients: { user: string; readAt: null }[] }>('alice', ['status', sent.id])
  assert.equal(
    report.recipients.map(({ user, readAt }) => [user, readAt]),
    [['bob', null]],
  )
  assert.equal(await textsTo('bob', 'alice'), ['mine to delete'])
})

/** Everything that escaping, trimming or normalising might touch, at exactly the limit. */
const nastyText = (bytes: number): string => {
  const controls = Array.from({ length: 0x20 }, (_, code) => String.fromCharCode(code)).join('')
  const start = `\ufeff${controls}\u007f\u0085\u2028\u2029"'\\\\n\\u0000 </script> e\u0301 \u00e9 👩‍👩‍👧 \u{10ffff} \r`
  const end = '  \t"\\\r\n\r\n\n\n\r'
  const rest = bytes - Buffer.byteLength(start + end)
  return start + '\u0001"\\\n'.repeat(rest / 4) + 'x'.repeat(rest % 4) + end
}

records('a text of 64 KiB is kept exactly, one byte more is refused', async () => {
  const text = nastyText(limits.maxTextBytes)
  assert.is(Buffer.byteLength(text), limits.maxTextBytes)
  const sent = await node.json<{ status: string }>('alice', ['send', 'bob', '-'], `${text}\n`)
  assert.is(sent.status, 'stored')
  assert.ok((await textsTo('bob', 'alice')).at(-1) === text, 'at the recipient')
  assert.ok((await textsTo('alice', 'bob')).at(-1) === text, 'at the sender')
  const count = (await shownTo('alice', 'bob')).length
  for (const more of [`${text}x\n`, `${text}\n\n`, 'y'.repeat(1_000_000)]) {
    const { code, stdout } = await node.chat('alice', ['send', 'bob', '-', '--json'], more)
    assert.is(code, 2)
    assert.is((JSON.parse(stdout) as { error: { code: string } }).error.code, 'MESSAGE_TOO_LARGE')
  }
  assert.is((await shownTo('alice', 'bob')).length, count, 'nothing of them is left')
  assert.equal(await node.json('alice', ['send', '--flush']), { queued: 0 })
})

records.run()
