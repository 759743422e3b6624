// What is said above the input: what informs goes after a while, what went wrong stays until a key, and nothing ticks when nothing is there.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { safeText } from '../../src/client/safe-text.ts'
import { FADE_MS, Fading } from '../../src/tui/fading.ts'
import { createStore, type Store } from '../../src/tui/store.ts'
import { FakeClock } from '../fake-clock.ts'
import { fresh } from '../tui-state-fixture.ts'

interface Context {
  clock: Clock
  store: Store
  ending: AbortController
  /** How often the state changed: each is drawn. */
  changes: () => number
  say: (text: string, style?: 'dim' | 'problem', isUnderWay?: boolean) => void
  said: () => string | undefined
  after: (ms: number) => Promise<void>
}
class Clock extends FakeClock {
  waiting = 0
  override after(ms: number, call: () => void): () => void {
    this.waiting++
    const cancel = super.after(ms, call)
    return () => {
      this.waiting--
      cancel()
    }
  }
}
const test = suite<Context>('what is said fades')

test.before.each((context) => {
  const clock = new Clock()
  const store = createStore(fresh())
  const ending = new AbortController()
  const fading = new Fading({ store, clock, signal: ending.signal })
  let changes = 0
  store.subscribe(() => {
    changes++
    fading.follow()
  })
  Object.assign(context, {
    clock,
    store,
    ending,
    changes: () => changes,
    say: (text: string, style: 'dim' | 'problem' = 'dim', isUnderWay = false) =>
      store.dispatch({ type: 'toast', text: safeText(text), style, isUnderWay }),
    said: () => store.getState().toast?.text,
    after: async (ms: number) => {
      clock.advance(ms)
      await new Promise((resolve) => setImmediate(resolve))
    },
  })
})

test('what informs goes by one change, and nothing is waited for then', async ({
  clock,
  say,
  said,
  after,
  changes,
}) => {
  say('Copied.')
  await after(FADE_MS - 1)
  assert.is(said(), 'Copied.')
  const before = changes()
  await after(1)
  assert.is(said(), undefined)
  await after(10 * FADE_MS)
  assert.is(changes(), before + 1)
  assert.is(clock.waiting, 0)
})

test('what went wrong stays, and what is still under way', async ({ clock, say, said, after }) => {
  say('It failed.', 'problem')
  await after(10 * FADE_MS)
  assert.is(said(), 'It failed.')
  say('Waiting …', 'dim', true)
  await after(10 * FADE_MS)
  assert.is(said(), 'Waiting …')
  assert.is(clock.waiting, 0)
})

test('each has its own time, the same words said again too', async ({ say, said, after }) => {
  for (let i = 0; i < 3; i++) {
    say('Copied.')
    await after(FADE_MS - 1)
    assert.is(said(), 'Copied.')
  }
})

test('it waits for somebody who looks', async ({ store, say, said, after }) => {
  store.dispatch({ type: 'focus', isFocused: false })
  say('carol left #team.')
  await after(10 * FADE_MS)
  assert.is(said(), 'carol left #team.')
  store.dispatch({ type: 'focus', isFocused: true })
  await after(FADE_MS)
  assert.is(said(), undefined)
})

test('Ctrl-C quits only while it can be read that it will', async ({ store, said, after }) => {
  store.dispatch({ type: 'key', key: 'ctrl-c' })
  assert.match(said() ?? '', /again quits/)
  await after(FADE_MS)
  assert.is(store.getState().isQuitArmed, false)
})

test('an end leaves no timer', async ({ clock, say, ending }) => {
  say('Copied.')
  assert.is(clock.waiting, 1)
  ending.abort()
  assert.is(clock.waiting, 0)
})

test.run()
