// Messages as programs see them: whatever their author put into them, they have the shape that the library promises.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { showMessage } from '../../src/client/message-view.ts'
import { toUtf8 } from '../../src/protocol/bytes.ts'
import { openRecord } from '../../src/protocol/records.ts'
import { newId, toGroup } from '../store-fixture.ts'

const shown = (content: object) => {
  const group = `#${newId()}`
  const body = toUtf8(`${JSON.stringify(content)}\nhello`)
  const { sealed, key } = toGroup({ k: 'msg', to: group, conv: group, seq: 1, ct: 'chat/1', gv: 1 }, body)
  const { header } = openRecord(sealed)
  if (header.k !== 'msg') throw new Error('it is a message')
  const held = { header, sealed: Buffer.from(sealed), acceptedAt: 1, isRefused: false, isDeleted: false, key }
  return showMessage(held, () => '#ops')
}

test('mentions are names, whatever the author wrote there', () => {
  assert.equal(shown({ mentions: ['bob', '@all'] }).mentions, ['bob', '@all'])
  assert.equal(shown({ mentions: ['bob', 7, null, { name: 'eve' }, ['carol'], 'Not A Name', ''] }).mentions, ['bob'])
  for (const mentions of [[null], 'bob', { length: 1 }, 7]) assert.is(shown({ mentions }).mentions, undefined)
})

test('a reply is an id in text, or none', () => {
  assert.is(shown({ reply: 'x' }).reply, 'x')
  assert.is(shown({ reply: { id: 'x' } }).reply, undefined)
  assert.is(shown({ reply: 7 }).text, 'hello')
})

test.run()
