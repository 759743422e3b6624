// Who looks where the terminal does not say it.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { AWAY_MS, GuessedFocus } from '../../src/tui/guessed-focus.ts'
import type { InputEvent } from '../../src/tui/input.ts'
import { createStore, type Store } from '../../src/tui/store.ts'
import { FakeClock } from '../fake-clock.ts'
import { fresh } from '../tui-state-fixture.ts'

const KEY: InputEvent = { type: 'text', text: 'a' }

interface Context {
  clock: FakeClock
  store: Store
  ending: AbortController
  focus: GuessedFocus
  isFocused: () => boolean
}
const test = suite<Context>('guessed focus')

test.before.each((context) => {
  const [clock, store, ending] = [new FakeClock(), createStore(fresh()), new AbortController()]
  const focus = new GuessedFocus({ store, clock, signal: ending.signal })
  Object.assign(context, { clock, store, ending, focus, isFocused: () => store.getState().isFocused })
})

test('a while without a key is away, and a key is back', ({ clock, focus, isFocused }) => {
  focus.start()
  clock.advance(AWAY_MS - 1)
  focus.input(KEY)
  clock.advance(AWAY_MS - 1)
  assert.ok(isFocused())
  clock.advance(1)
  assert.not.ok(isFocused())
  focus.input(KEY)
  assert.ok(isFocused())
  clock.advance(AWAY_MS)
  assert.not.ok(isFocused())
})

test('nothing is guessed where the terminal may tell, and no more once it does', ({ clock, focus, isFocused }) => {
  focus.input(KEY)
  clock.advance(2 * AWAY_MS)
  assert.ok(isFocused())
  focus.start()
  focus.input({ type: 'focus', isFocused: true })
  clock.advance(2 * AWAY_MS)
  assert.ok(isFocused())
  focus.start()
  clock.advance(2 * AWAY_MS)
  assert.ok(isFocused())
})

test('who comes back from another program is there for a while', ({ clock, store, focus, isFocused }) => {
  focus.start()
  clock.advance(AWAY_MS)
  store.dispatch({ type: 'focus', isFocused: true })
  clock.advance(AWAY_MS - 1)
  assert.ok(isFocused())
  clock.advance(1)
  assert.not.ok(isFocused())
})

test('nothing is left to wait for at the end', ({ clock, ending, focus, isFocused }) => {
  focus.start()
  ending.abort()
  clock.advance(2 * AWAY_MS)
  assert.ok(isFocused())
})

test.run()
