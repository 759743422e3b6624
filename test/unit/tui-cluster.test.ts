// The operator's view: what of a report is shown in how many columns, what changed, and that it is honest when nothing answers.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { systemClock } from '../../src/platform/system.ts'
import { ChatError } from '../../src/protocol/errors.ts'
import { type ClusterNode, type ClusterReport, withReport } from '../../src/tui/cluster.ts'
import { ClusterWatch } from '../../src/tui/cluster-watch.ts'
import { screenText } from '../../src/tui/screen-view.ts'
import { createStore } from '../../src/tui/store.ts'
import { eventually } from '../eventually.ts'
import { fresh, run, type, withBob } from '../tui-state-fixture.ts'

const node = (name: string, changes: Partial<ClusterNode> = {}): ClusterNode => ({
  name,
  roles: ['store'],
  authority: false,
  state: 'up',
  lagMs: 1.4,
  epochLag: 0,
  recordLag: 0,
  sessions: null,
  leases: null,
  records: 42,
  queuedBytes: 2_048,
  queued: 3,
  rssBytes: 90 * 1024 * 1024,
  uptimeMs: 7_500_000,
  ...changes,
})
const report = (...nodes: ClusterNode[]): ClusterReport => ({
  cluster: 'abcdef0123456789',
  node: 'router-1',
  epoch: 7,
  joint: false,
  nodes,
  current: {
    n: 3,
    w: 2,
    r: 2,
    homes: nodes.map(({ name, state }) => ({ name, readable: state === 'up', writable: state !== 'down' })),
  },
  next: null,
})

test('wide enough, everything is there; narrow, what matters most', () => {
  const wide = run(fresh({ size: { columns: 140, rows: 24 } }), { type: 'openCluster' })
  assert.match(screenText(wide.state), /Asking the cluster/)
  const shown = run(wide.state, {
    type: 'cluster',
    report: report(node('store-1'), node('store-2', { state: 'syncing' })),
  })
  const text = screenText(shown.state)
  assert.match(text, /1 of 2 nodes up · epoch 7 · seen by router-1/)
  assert.match(text, /N=3 W=2 R=2 on store-1, store-2 \(not readable\)/)
  assert.match(text, /store-1 +up +store +1 ms +0 +42 +- +- +3 · 2 KiB +90 MiB +2 h/)
  const narrow = screenText(run(shown.state, { type: 'resized', columns: 40, rows: 12 }).state)
  assert.match(narrow, /store-2 +syncing +1 ms +42\b/)
  assert.not.match(narrow, /MEMORY/)
})

test('who went and came back is told with the time', () => {
  const down = report(node('store-1'), node('store-2', { state: 'down', lagMs: null, records: null }))
  const first = withReport(undefined, report(node('store-1'), node('store-2')), 1)
  assert.equal(first.changes, [])
  const both = withReport(withReport(first, down, 2), report(node('store-1'), node('store-3')), 3)
  assert.equal(
    both.changes.map(({ atMs, name, state }) => `${atMs} ${name} ${state}`),
    ['2 store-2 down', '3 store-3 up', '3 store-2 removed'],
  )
})

const withWatch = async (status: (() => Promise<ClusterReport>) | undefined, keys: string) => {
  const ending = new AbortController()
  const store = createStore(withBob())
  const cluster = status && { status }
  const watch = new ClusterWatch({ store, clock: systemClock, signal: ending.signal, cluster })
  store.onEffect((effect) => {
    if (effect.type === 'cluster') void watch.start()
  })
  const typed = type(store.getState(), keys)
  assert.equal(typed.effects, [{ type: 'cluster' }])
  const watching = watch.start()
  return { store, end: () => (ending.abort(), watching) }
}

test('asked again while it is open, a node that does not answer is said and the last report stays', async () => {
  let answers = 0
  const { store, end } = await withWatch(async () => {
    answers += 1
    if (answers > 1) throw new ChatError('NET_UNAVAILABLE', { message: 'No node answers' })
    return report(node('store-1'))
  }, '/cluster\r')
  await eventually(() => /No answer: No node answers\n[^]*store-1/.test(screenText(store.getState())))
  store.dispatch({ type: 'key', key: 'escape' })
  await end()
  assert.is(store.getState().overlay, undefined)
})

test('without a token it says what it takes', async () => {
  const { store, end } = await withWatch(undefined, '\x1bc')
  assert.match(store.getState().toast?.text ?? '', /operator’s token: npm start/)
  await end()
})

test.run()
