// The simulator's checker can fail: one run by hand that is clean, and for each check one change of it that must be flagged.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  checks,
  findViolations,
  type DeviceState,
  type EndState,
  type HomeEntry,
  type HomeState,
  type SeenVersion,
} from '../sim/checker.ts'
import {
  History,
  type GroupEvent,
  type ReferEvent,
  type SendEvent,
  type ShowEvent,
  type StatusEvent,
} from '../sim/history.ts'

const checker = suite('sim-checker')

type Run = { history: History; end: EndState; at: (t: number) => void }
const entry = (mailbox: string, id: string, text: string): HomeEntry => ({
  mailbox,
  key: `${id}-${text}`,
  id,
  from: 'a',
  text,
  isServed: true,
})
const home = (peer: string): HomeState => ({
  peer,
  entries: ['u:a', 'u:b'].flatMap((mailbox) => [entry(mailbox, 'm1', 'text 1'), entry(mailbox, 'm2', 'text 2')]),
  repeated: [],
})
const device = (name: string, user: string, other: string): DeviceState => ({
  name,
  user,
  listed: {
    [other]: [
      { id: 'm1', from: 'a', to: 'b', text: 'text 1', status: 'read', deleted: false, reactions: '' },
      { id: 'm2', from: 'a', to: 'b', text: 'text 2', status: 'read', deleted: false, reactions: '' },
    ],
  },
  gaps: [],
  disputed: {},
  queued: 0,
  files: [{ id: 'm1', blob: 'b1', outcome: 'right' }],
})

const send = (id: string, type: SendEvent['type'], text = `text ${id.slice(1)}`): Omit<SendEvent, 't'> => ({
  op: 'send',
  proc: 'a/0',
  type,
  id,
  user: 'a',
  to: 'b',
  text,
})
const deletion = (id: string): Omit<ReferEvent, 't'> => ({
  op: 'refer',
  type: 'ok',
  proc: 'a/0',
  what: 'delete',
  id,
  from: 'a',
  to: 'b',
  user: 'a',
  text: '',
})
const show = (id: string, proc: string, change: Partial<ShowEvent> = {}): Omit<ShowEvent, 't'> => ({
  op: 'show',
  type: 'ok',
  proc,
  id,
  user: proc[0] ?? '',
  from: 'a',
  to: 'b',
  text: `text ${id.slice(1)}`,
  life: 0,
  ...change,
})
const status = (
  id: string,
  of: StatusEvent['status'],
  times: [number | null, number | null, number | null],
): Omit<StatusEvent, 't'> => ({
  op: 'status',
  type: 'ok',
  proc: 'a/0',
  id,
  status: of,
  storedAt: times[0],
  receivedAt: times[1],
  readAt: times[2],
  life: 0,
})

/** a sends two messages to b, who receives and reads them; `skip` leaves events out. */
const cleanRun = (skip: (e: { op: string; proc: string; id?: string }) => boolean = () => false): Run => {
  let now = 0
  const history = new History(() => now)
  const add = (event: Parameters<History['add']>[0]): void => {
    now += 10
    if (!skip(event)) history.add(event)
  }
  for (const id of ['m1', 'm2']) {
    add(send(id, 'invoke'))
    add({ op: 'durable', type: 'ok', proc: 'world', id, because: 'acknowledged', found: 2, needed: 2 })
    add(send(id, 'ok'))
    add(status(id, 'stored', [5, null, null]))
    add(show(id, 'a/0'))
    add(show(id, 'b/0'))
    add({ op: 'receipt', type: 'ok', proc: 'a/0', id, user: 'b', status: 'received' })
    add(status(id, 'received', [5, 6, null]))
  }
  add({ op: 'settle', type: 'invoke', proc: 'b/0', user: 'b', complete: false, seen: [], id: '1' })
  add({ op: 'settle', type: 'ok', proc: 'b/0', user: 'b', complete: true, seen: ['m1', 'm2'], id: '1' })
  add({ op: 'fetch', type: 'ok', proc: 'b/0', asked: 2, known: [] })
  add({ op: 'read', type: 'invoke', proc: 'b/0', user: 'b', conversation: 'a', life: 0 })
  add({ op: 'read', type: 'ok', proc: 'b/0', user: 'b', conversation: 'a', life: 0 })
  add({ op: 'receipt', type: 'ok', proc: 'a/0', id: 'm2', user: 'b', status: 'read' })
  add(status('m2', 'read', [5, 6, 7]))
  const end: EndState = {
    devices: [device('a/0', 'a', 'b'), device('b/0', 'b', 'a')],
    homes: [home('s1'), home('s2')],
    homesOf: { 'u:a': ['s1', 's2'], 'u:b': ['s1', 's2'], 'g:#1': ['s1', 's2'] },
    versions: [],
    blobs: [{ blob: 'b1', homes: ['s1', 's2'], holders: ['s1', 's2'] }],
    pins: [{ home: 's1', id: 'm1' }],
    forged: [],
    intruded: [],
  }
  return { history, end, at: (t) => (now = t) }
}

const groupEvent = (id: string, type: GroupEvent['type']): Omit<GroupEvent, 't'> => ({
  op: 'group',
  proc: 'a/0',
  type,
  id,
  user: 'a',
  change: id === 'c1' ? 'create' : 'remove',
  group: '#g',
  users: ['b'],
})
const version = (where: string, change: Partial<SeenVersion> = {}): SeenVersion => ({
  where,
  digest: 'd1',
  id: 'c1',
  by: 'a',
  change: 'create',
  users: ['b'],
  group: '#1',
  name: '#g',
  version: 1,
  members: ['a', 'b'],
  roles: { a: 'owner', b: 'member' },
  ...change,
})
const toGroup = { to: '#g', user: 'a' } as const

/** Then a makes a group with b, says m3 there, removes b and says m4. */
const groupRun = (): Run => {
  const run = cleanRun()
  const { history, end, at } = run
  let t = 1_000
  const add = (event: Parameters<History['add']>[0]): void => {
    at((t += 10))
    history.add(event)
  }
  const change = (id: string): void => ['invoke' as const, 'ok' as const].forEach((type) => add(groupEvent(id, type)))
  const say = (id: string): void =>
    ['invoke' as const, 'ok' as const].forEach((type) => add({ ...send(id, type), ...toGroup }))
  change('c1')
  say('m3')
  add(show('m3', 'b/0', { to: '#g' }))
  change('c2')
  say('m4')
  at(2_000)
  const removal = { version: 2, digest: 'd2', id: 'c2', change: 'remove' } as const
  for (const where of ['s1', 's2', 'a/0', 'b/0']) {
    end.versions.push(version(where), version(where, { ...removal, members: ['a'], roles: { a: 'owner' } }))
  }
  for (const { entries } of end.homes) {
    entries.push(entry('u:a', 'm3', 'text 3'), entry('u:b', 'm3', 'text 3'), entry('u:a', 'm4', 'text 4'))
  }
  const line = (id: string): DeviceState['listed'][string][number] => ({
    id,
    from: 'a',
    to: '#g',
    text: `text ${id.slice(1)}`,
    status: id === 'm3' ? 'received' : 'read',
    deleted: false,
    reactions: '',
  })
  const [a, b] = end.devices
  if (a && b) [a.listed['#g'], b.listed['#g']] = [[line('m3'), line('m4')], [line('m3')]]
  return run
}

const first = <T>(list: T[] | undefined): T => {
  const item = list?.[0]
  if (item === undefined) throw new Error('the clean run lacks it')
  return item
}
const listed = (run: Run, name: string) =>
  first(Object.values(first(run.end.devices.filter((d) => d.name === name)).listed))
const removeFrom = (run: Run, peer: string, mailbox: string): void => {
  const state = first(run.end.homes.filter((h) => h.peer === peer))
  state.entries = state.entries.filter((e) => e.mailbox !== mailbox || e.id !== 'm1')
}

/** Name of the check -> how to break a clean run so that it must say so. */
const BREAKS: Record<string, () => Run> = {
  'acknowledged but lost': () => {
    const run = cleanRun()
    removeFrom(run, 's1', 'u:a')
    removeFrom(run, 's2', 'u:a')
    return run
  },
  'too few durable copies': () => {
    const run = cleanRun()
    run.history.add({ op: 'durable', type: 'ok', proc: 'world', id: 'm1', because: 'shown', found: 1, needed: 2 })
    return run
  },
  'homes differ': () => {
    const run = cleanRun()
    removeFrom(run, 's2', 'u:b')
    return run
  },
  'stored twice': () => {
    const run = cleanRun()
    first(run.end.homes).entries.push(entry('u:a', 'm1', 'text 1'))
    return run
  },
  'refused, but stored': () => {
    const run = cleanRun()
    run.history.add(send('m2', 'fail'))
    return run
  },
  'a gateway refused what was written': () => {
    const run = cleanRun()
    run.history.add({ op: 'put', type: 'fail', proc: 'a/0', digest: 'aa', isPresent: true })
    return run
  },
  'both refused and acknowledged': () => {
    const run = cleanRun()
    run.history.add(send('m1', 'fail'))
    return run
  },
  'not visible though complete': () => {
    const run = cleanRun()
    run.history.add({ op: 'settle', type: 'invoke', proc: 'b/0', user: 'b', complete: false, seen: [], id: '2' })
    run.history.add({ op: 'settle', type: 'ok', proc: 'b/0', user: 'b', complete: true, seen: ['m2'], id: '2' })
    return run
  },
  'stored but not delivered': () => {
    const run = cleanRun()
    listed(run, 'b/0').pop()
    return run
  },
  'shown twice': () => {
    const run = cleanRun()
    run.history.add(show('m2', 'b/0'))
    return run
  },
  'shown but never sent so': () => {
    const run = cleanRun()
    run.history.add(show('m3', 'b/0'))
    return run
  },
  'shown to somebody else': () => {
    const run = cleanRun()
    run.history.add(show('m2', 'c/0'))
    return run
  },
  'fetched a body it had': () => {
    const run = cleanRun()
    run.history.add({ op: 'fetch', type: 'ok', proc: 'b/0', asked: 1, known: ['m1-text 1'] })
    return run
  },
  'refused, but shown': () => {
    const run = cleanRun()
    run.history.add(send('m2', 'fail'))
    return run
  },
  'shown out of its order': () => {
    const run = cleanRun((e) => e.op === 'show' && e.proc === 'b/0')
    run.history.add(show('m2', 'b/0'))
    run.history.add(show('m1', 'b/0'))
    return run
  },
  'listed out of its order': () => {
    const run = cleanRun()
    listed(run, 'b/0').reverse()
    listed(run, 'a/0').reverse()
    return run
  },
  'devices differ in order': () => {
    const run = cleanRun()
    listed(run, 'b/0').reverse()
    return run
  },
  'a gap was not repaired': () => {
    const run = cleanRun()
    first(run.end.devices).gaps.push('b')
    return run
  },
  'a status went back': () => {
    const run = cleanRun()
    run.history.add(status('m2', 'received', [5, 6, null]))
    return run
  },
  'read without received, or received without stored': () => {
    const run = cleanRun()
    run.history.add(status('m2', 'read', [5, null, 7]))
    return run
  },
  'received, but the sender never heard': () => {
    const run = cleanRun()
    first(listed(run, 'a/0')).status = 'stored'
    return run
  },
  'read, but the sender never heard': () => {
    const run = cleanRun()
    first(listed(run, 'a/0')).status = 'received'
    return run
  },
  'devices differ in what became of a message': () => {
    const run = cleanRun()
    first(listed(run, 'b/0')).reactions = '👍 a'
    return run
  },
  'deleted but shown': () => {
    const run = cleanRun()
    run.history.add(deletion('m1'))
    for (const { entries } of run.end.homes) for (const entry of entries) entry.isServed &&= entry.id !== 'm1'
    return run
  },
  'deleted but served': () => {
    const run = cleanRun()
    run.history.add(deletion('m1'))
    for (const name of ['a/0', 'b/0']) Object.assign(first(listed(run, name)), { deleted: true, text: '' })
    return run
  },
  'too few copies of a blob': () => {
    const run = cleanRun()
    run.history.add({ op: 'blob', type: 'ok', proc: 'a/0', blob: 'b1', because: 'stored', found: 1, needed: 2 })
    return run
  },
  'shown, but its attachment is gone': () => {
    const run = cleanRun()
    run.history.add({ op: 'download', type: 'ok', proc: 'b/0', id: 'm1', outcome: 'BLOB_UNKNOWN' })
    return run
  },
  'an attachment cannot be fetched': () => {
    const run = cleanRun()
    first(first(run.end.devices).files).outcome = 'QUORUM_UNAVAILABLE'
    return run
  },
  'a home lacks a blob': () => {
    const run = cleanRun()
    first(run.end.blobs).holders.pop()
    return run
  },
  'a blob was thrown away against the rules': () => {
    const run = cleanRun()
    run.history.add({ op: 'collect', type: 'ok', proc: 's1', blob: 'b1', pins: 1, ended: [], isFinal: true })
    return run
  },
  'a deleted message keeps its attachment': () => {
    const run = cleanRun()
    run.history.add(deletion('m1'))
    return run
  },
  'two winners of one version': () => {
    const run = groupRun()
    run.end.versions.push(version('s1', { digest: 'other' }))
    return run
  },
  'two groups of one name': () => {
    const run = groupRun()
    run.end.versions.push(version('s1', { group: '#2' }))
    return run
  },
  'an acknowledged change is lost': () => {
    const run = groupRun()
    run.history.add(groupEvent('c3', 'ok'))
    return run
  },
  'a change that nobody made': () => {
    const run = groupRun()
    run.end.versions.push(version('b/0', { version: 3, digest: 'd3', id: 'c3' }))
    return run
  },
  'a change that its author might not make': () => {
    const run = groupRun()
    run.end.versions.push(version('b/0', { version: 2, digest: 'd3', id: 'c3', by: 'b', change: 'role' }))
    return run
  },
  'a device believes what nobody might change': () => {
    const run = groupRun()
    run.end.versions.push(version('b/0', { version: 2, digest: 'd3', id: 'c3', by: 'b', change: 'role' }))
    return run
  },
  'a fork is told of that is none': () => {
    const run = groupRun()
    first(run.end.devices).disputed['#g'] = ['b']
    return run
  },
  'a fork was not noticed': () => forkedRun(),
  'refused for what a home said': () => {
    const run = groupRun()
    run.history.add({ ...send('m5', 'fail'), ...toGroup, code: 'MESSAGE_INVALID' })
    return run
  },
  'shown though its author was no member': () => {
    const run = groupRun()
    run.end.intruded.push('m5')
    run.history.add(show('m5', 'a/0', { to: '#g', from: 'b' }))
    return run
  },
  'refused, but changed': () => {
    const run = groupRun()
    run.history.add(groupEvent('c2', 'fail'))
    return run
  },
  'stored though its author was no member': () => {
    const run = groupRun()
    for (const type of ['invoke', 'ok'] as const) run.history.add({ ...send('m5', type), to: '#g', user: 'b' })
    return run
  },
  'reached somebody who was no member': () => {
    const run = groupRun()
    run.history.add(show('m4', 'b/0', { to: '#g' }))
    return run
  },
  'homes differ in what is decided': () => {
    const run = groupRun()
    run.end.versions = run.end.versions.filter((v) => v.where !== 's2' || v.version !== 2)
    return run
  },
  'members differ in order': () => {
    const run = groupRun()
    const [a, b] = run.end.devices
    if (a && b) b.listed['#g'] = (a.listed['#g'] ?? []).toReversed()
    return run
  },
  'a receipt for what did not happen': () => {
    const run = cleanRun((e) => e.op === 'read')
    return run
  },
}

checker('what was received is shown within the time that it may wait for the one before it', () => {
  const { history, end, at } = cleanRun((e) => e.op === 'show' && e.proc === 'b/0' && e.id === 'm1')
  const found = (): boolean =>
    findViolations({ history, end }).some(({ message }) => message.includes('never showed it'))
  assert.not(found())
  at(10_000)
  history.add(status('m1', 'received', [5, 6, null]))
  assert.ok(found())
})

/** a and b hold different second versions, and b is shown what a wrote at it. */
const forkedRun = (disputed: string[] = []): Run => {
  const run = groupRun()
  const { end } = run
  const second: Partial<SeenVersion> = { version: 2, id: 'c2', change: 'topic', users: [] }
  end.versions = [
    ...end.versions.filter(({ version: number }) => number === 1),
    version('a/0', { ...second, digest: 'one' }),
    version('b/0', { ...second, digest: 'other' }),
  ]
  for (const { entries } of end.homes) for (const entry of entries) if (entry.id === 'm3') entry.gv = 2
  for (const { name, disputed: by } of end.devices) if (name === 'b/0') by['#g'] = disputed
  return run
}

checker('whoever says that a member was shown another version is right where that is so', () => {
  const found = (users: string[]): string[] =>
    findViolations(forkedRun(users))
      .map(({ message }) => message)
      .filter((message) => message.startsWith('a fork'))
  assert.is(found([]).length, 1)
  assert.equal(found(['a']), [])
})

checker('with a home that lies only what holds all the same is judged', () => {
  const run = groupRun()
  removeFrom(run, 's1', 'u:a')
  assert.not.equal(findViolations(run), [])
  assert.equal(findViolations(run, { hasLyingHome: true }), [])
  const names = findViolations(forkedRun(), { hasLyingHome: true }).map(({ message }) => message)
  assert.ok(names.some((message) => message.startsWith('a fork was not noticed')))
})

checker('a clean run has no violations', () => {
  assert.equal(findViolations(cleanRun()), [])
})

checker('a clean run with a group has no violations', () => {
  assert.equal(findViolations(groupRun()), [])
})

checker('a message to a group is for who was in it, and taken before the removal was asked for', () => {
  const run = groupRun()
  for (const { entries } of run.end.homes)
    entries.splice(
      entries.findIndex(({ mailbox, id }) => mailbox === 'u:b' && id === 'm3'),
      1,
    )
  assert.ok(findViolations(run).some(({ invariant, message }) => invariant === 1 && message.includes('m3')))
})

checker('a message shown behind a gap may come late, where it was the one that was said to lack, and in time', () => {
  const found = (range: [number, number], isLate = false): number => {
    const run = cleanRun((e) => e.op === 'show' && e.proc === 'b/0')
    for (const { entries } of run.end.homes) for (const entry of entries) entry.seq = Number(entry.id.slice(1))
    const gap = { op: 'gap', type: 'ok', proc: 'b/0', from: 'a/0', to: 'b', range, life: 0 } as const
    if (!isLate) run.history.add(gap)
    run.history.add(show('m2', 'b/0'))
    run.at(10_000)
    if (isLate) run.history.add(gap)
    run.history.add(show('m1', 'b/0'))
    return findViolations(run).filter(({ message }) => message.startsWith('shown out of its order')).length
  }
  assert.is(found([1, 1]), 0)
  assert.is(found([3, 4]), 1)
  assert.is(found([1, 1], true), 1)
})

for (const { name, invariant } of checks) {
  checker(`${invariant}: ${name}`, () => {
    const broken = BREAKS[name]
    assert.ok(broken, 'there is no run that breaks this check')
    const found = broken ? findViolations(broken()) : []
    assert.ok(
      found.some((v) => v.invariant === invariant && v.message.startsWith(`${name}: `)),
      JSON.stringify(found),
    )
  })
}

checker('the hash of a history tells runs apart', () => {
  assert.is(cleanRun().history.hash(), cleanRun().history.hash())
  assert.is.not(cleanRun().history.hash(), cleanRun((e) => e.op === 'read').history.hash())
})

checker.run()
