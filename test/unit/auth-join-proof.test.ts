// Tickets and join proofs: what one side makes the other accepts, and nothing else.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { linkCodeOf, normalizeCode } from '../../src/protocol/codes.ts'
import { decodeTicket, encodeTicket, isJoinProof, joinProof } from '../../src/node/auth/join-proof.ts'
import { hasCode } from '../../src/protocol/errors.ts'

const secret = Buffer.alloc(16, 7).toString('base64')
const transcript = {
  cluster: 'aa',
  ticket: 't1',
  peer: 'p1',
  joinerNonce: 'n1',
  authorityNonce: 'n2',
  about: '{"name":"store-1"}',
}

test('a ticket survives being copied, with blanks around it', () => {
  const ticket = { cluster: 'aa', url: 'http://127.0.0.1:1', id: 't1', secret, expiresAt: 5 }
  assert.equal(decodeTicket(`  ${encodeTicket(ticket)}\n`), ticket)
})

for (const [what, text] of Object.entries({
  empty: '',
  'other text': 'hello',
  'a cut ticket': encodeTicket({ cluster: 'aa', url: 'u', id: 'i', secret, expiresAt: 5 }).slice(0, -9),
  'a ticket without its secret': `chatd-ticket-1.${Buffer.from('{"cluster":"aa","url":"u","id":"i"}').toString('base64url')}`,
})) {
  test(`no ticket: ${what}`, () =>
    assert.throws(
      () => decodeTicket(text),
      (error: unknown) => hasCode(error, 'AUTH_TICKET'),
    ))
}

test('a proof holds for its side, secret and transcript only', () => {
  const proof = joinProof('joiner', transcript, secret)
  const holds = (change: Partial<typeof transcript>, side: 'joiner' | 'authority' = 'joiner', key = secret): boolean =>
    isJoinProof(proof, { side, transcript: { ...transcript, ...change }, secret: key })
  assert.ok(holds({}))
  assert.not.ok(holds({}, 'authority'), 'an authority’s proof is no joiner’s')
  assert.not.ok(holds({}, 'joiner', Buffer.alloc(16, 8).toString('base64')))
  for (const field of Object.keys(transcript)) assert.not.ok(holds({ [field]: 'other' }), field)
  assert.not.ok(isJoinProof('', { side: 'joiner', transcript, secret }))
})

test('a link code is 80 bits in groups of four, however it is typed', () => {
  const code = linkCodeOf(Buffer.alloc(32, 1))
  assert.match(code, /^([A-Z2-7]{4}-){3}[A-Z2-7]{4}$/)
  assert.is(normalizeCode(` ${code.toLowerCase().replaceAll('-', ' ')} `), code)
})

test.run()
