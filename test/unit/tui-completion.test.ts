// Tab: what it makes of the word before the cursor, and what further Tabs do. A table from what is typed to what is there.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { safeText } from '../../src/client/safe-text.ts'
import { completionText } from '../../src/tui/completion.ts'
import { emoji, emojiOf, notAnEmoji } from '../../src/client/emoji.ts'
import { draftOfCurrent, type State } from '../../src/tui/state.ts'
import { inbox, message, run, timeline, type, fresh } from '../tui-state-fixture.ts'

const [TAB, SHIFT_TAB, LEFT] = ['\t', '\x1b[Z', '\x1b[D']

const state: State = run(
  fresh(),
  inbox(['bob', 0], ['#ops', 0], ['carol', 0], ['#opera', 0]),
  timeline('bob', [message('a', 'hi'), message('b', 'ho', { from: safeText('carl') })]),
).state

const cases: [typed: string, draft: string][] = [
  [`/se${TAB}`, '/search '],
  [`/nosuch${TAB}`, '/nosuch'],
  [`hi @ca${TAB}`, 'hi @carl '],
  [`hi @ca${TAB}${TAB}`, 'hi @carol '],
  [`hi @ca${TAB}${TAB}${TAB}`, 'hi @carl '],
  [`hi @ca${TAB}${SHIFT_TAB}`, 'hi @carol '],
  [`hi @ca${TAB}x${TAB}`, 'hi @carl x'],
  [`@ca hello${LEFT.repeat(6)}${TAB}`, '@carl hello'],
  [`see #op${TAB}`, 'see #ops '],
  [`/msg b${TAB}`, '/msg bob '],
  [`/msg bob b${TAB}`, '/msg bob b'],
  [`/notify m${TAB}`, '/notify mentions '],
  [`/notify none #ope${TAB}`, '/notify none #opera '],
  [`/theme l${TAB}`, '/theme light '],
  [`/set gr${TAB}`, '/set graphics '],
  [`/set graphics si${TAB}`, '/set graphics sixel '],
  [`/set presence f${TAB}`, '/set presence false '],
  [`/set nothing f${TAB}`, '/set nothing f'],
  [`/block #${TAB}`, '/block #ops '],
  [`good :rock${TAB}`, 'good 🚀 '],
  [`good:rock${TAB}`, 'good🚀 '],
  [`at 10:30${TAB}`, 'at 10:30'],
  [`:)${TAB}`, ':)'],
  [`//se${TAB}`, '//se'],
]
for (const [typed, draft] of cases) {
  test(`completing ${JSON.stringify(typed)}`, () => assert.is(draftOfCurrent(type(state, typed).state).text, draft))
}

test('in a group its members are asked for, beside those who spoke and those one talks with', () => {
  const group = run(type(state, '/msg #ops\r').state, timeline('#ops', [message('a', 'hi')])).state
  const asking = (typed: string) => {
    const [effect] = type(group, typed).effects
    return effect?.type === 'completeMember' ? [effect.sign, effect.typed, effect.from, effect.known] : effect
  }
  assert.equal(asking(`so @da${TAB}`), ['@', '@da', 3, ['@bob', '@carol']])
  assert.equal(asking(`/remove da${TAB}`), ['', 'da', 8, ['bob', 'carol']])
  assert.equal(asking(`/msg da${TAB}`), ['', 'da', 5, ['bob', '#ops', 'carol', '#opera']])
  assert.is(asking(`da${TAB}`), undefined)
  assert.is(asking(`/theme da${TAB}`), undefined)
})

test('the choice is shown while it goes on, from the present one', () => {
  const first = type(state, `@ca${TAB}`).state
  assert.is(completionText(first), '[@carl]  @carol')
  assert.is(completionText(type(first, TAB).state), '[@carol]  @carl')
  assert.is(completionText(type(first, 'x').state), undefined)
})

test('emoji have one name each and one width that terminals agree on', () => {
  assert.ok(emoji.size > 200)
  assert.is(emojiOf(':tada:'), '🎉')
  assert.is(emojiOf('🎉'), '🎉')
  for (const one of ['❤', '❤️', '👍🏽', '🏳️‍🌈', '👨‍👩‍👧‍👦', '🇩🇪', '1️⃣']) assert.is(emojiOf(one), one)
  for (const none of ['nothing', '', ':', '::', '🎉🎉', '🎉!', '1', '🇩', 'é', ':ta da:', 'ta:da'])
    assert.is(emojiOf(none), undefined, none)
  assert.match(notAnEmoji(':tadda:'), /:tada: 🎉\?/)
  assert.match(notAnEmoji(':thumbs:'), /:thumbsup: 👍\?/)
  assert.not.match(notAnEmoji('whatever'), /\?/)
  for (const picture of emoji.values()) assert.is(safeText(picture), picture)
})

test.run()
