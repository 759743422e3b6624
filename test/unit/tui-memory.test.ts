// What the terminal client keeps: the file survives damage, other processes and refusals; the state comes back from it.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { safeText } from '../../src/client/safe-text.ts'
import { draftOf } from '../../src/tui/draft.ts'
import { openKept } from '../../src/tui/kept.ts'
import { bounded, emptyMemory, joinMemory, type Memory, memoryText, parseMemory } from '../../src/tui/memory.ts'
import type { TimelineMessage } from '../../src/tui/messages.ts'
import { MEMORY_FILE, MemoryFile } from '../../src/tui/memory-file.ts'
import type { Action } from '../../src/tui/reduce.ts'
import { conversationsOf } from '../../src/tui/listing.ts'
import { type Conversation, draftOfCurrent, initialState, type State } from '../../src/tui/state.ts'
import { createStore } from '../../src/tui/store.ts'
import { fresh, message, run, timeline, type } from '../tui-state-fixture.ts'

const memory = (drafts: Record<string, string>, sent: string[] = []): Memory => ({
  drafts: Object.fromEntries(Object.entries(drafts).map(([name, text]) => [name, draftOf(text)])),
  sent,
  unsaid: [],
})
const stateWith = (kept: Memory) =>
  initialState({
    user: 'alice',
    profile: 'default',
    notices: [],
    size: { columns: 80, rows: 24 },
    nowMs: 0,
    memory: kept,
  })
const texts = ({ drafts }: Memory): Record<string, string> =>
  Object.fromEntries(Object.entries(drafts).map(([name, { text }]) => [name, text]))

const directories: string[] = []
const newDirectory = (): string => {
  const directory = mkdtempSync(join(tmpdir(), 'chatd-memory-'))
  directories.push(directory)
  return directory
}
test.after(() => directories.forEach((directory) => rmSync(directory, { recursive: true, force: true })))

const writeAll = async (directory: string, ...memories: Memory[]): Promise<void> => {
  const file = new MemoryFile(directory)
  file.read()
  for (const each of memories) file.write(each)
  await file.close()
}

const usual = {
  unread: 0,
  firstUnread: undefined,
  activeAtMs: 0,
  mentions: 0,
  isMarked: false,
  level: 'all' as const,
}
test('a name that was mistyped leaves the list with its conversation, over a restart too, and comes back with what is said', () => {
  const mine = (status: TimelineMessage['status']) => message('m1', 'hello', { isOwn: true, status })
  const entry = (name: string, last?: TimelineMessage): Conversation => ({
    ...usual,
    name,
    title: safeText(name),
    last,
  })
  const listed = (status: TimelineMessage['status']): Action => ({
    type: 'inbox',
    conversations: [entry('bbo', mine(status)), entry('bob')],
  })
  const names = (state: State): string[] => conversationsOf(state).map(({ name }) => name)
  const refused = [listed('refused'), timeline('bbo', [mine('refused')])]
  const waiting = run(fresh(), listed('queued'), timeline('bbo', [mine('queued')])).state
  assert.equal(names(type(waiting, '/msg bob\r').state), ['bbo', 'bob'])
  const seen = run(type(fresh(), '/msg bbo hello\r').state, ...refused).state
  assert.equal(names(seen), ['bbo', 'bob'])
  assert.equal(names(type(type(seen, 'again').state, '\x0e').state), ['bbo', 'bob'], 'a draft is not lost')
  const left = type(seen, '/msg bob\r').state
  assert.equal(names(left), ['bob'])
  const kept = parseMemory(memoryText(left))
  assert.ok(kept)
  const later = run(stateWith(kept), listed('refused')).state
  assert.equal([names(later), later.current], [['bob'], 'bob'])
  assert.equal(names(type(later, '/msg bbo\r').state), ['bbo', 'bob'])
  assert.equal(names(run(later, listed('queued')).state), ['bbo', 'bob'])
})

test('what was kept is read again, exactly, and by its owner only', async () => {
  const directory = newDirectory()
  const kept: Memory = {
    ...memory({ bob: 'one\ntwo \x1b', constructor: 'x' }, ['a', 'b']),
    drafts: { bob: { text: 'é', cursor: 1, reply: { id: 'm1', from: safeText('bob'), text: safeText('said') } } },
  }
  await writeAll(directory, memory({ bob: 'o' }), kept)
  assert.equal(new MemoryFile(directory).read(), kept)
  assert.is(statSync(join(directory, MEMORY_FILE)).mode & 0o777, 0o600)
  assert.equal(readdirSync(directory), [MEMORY_FILE])
})

test('two clients of a profile leave each other’s part alone', async () => {
  const directory = newDirectory()
  const [one, two] = [new MemoryFile(directory), new MemoryFile(directory)]
  one.read()
  two.read()
  one.write(memory({ bob: 'from one' }, ['a']))
  await one.close()
  two.write(memory({ carol: 'from two' }, ['b']))
  await two.close()
  const both = new MemoryFile(directory).read()
  assert.equal(texts(both), { bob: 'from one', carol: 'from two' })
  assert.equal(both.sent, ['a', 'b'])
})

test('joining: what changed here wins, the rest is the other’s', () => {
  const base = memory({ bob: 'old', dan: 'old' }, ['a', 'b'])
  const mine = memory({ bob: 'new', dan: 'old', carol: '' }, ['b', 'a', 'c'])
  const other = memory({ bob: 'theirs', dan: 'theirs', eve: 'theirs' }, ['a', 'b', 'x'])
  const joined = bounded(joinMemory({ base, mine: bounded(mine), other }))
  assert.equal(texts(joined), { bob: 'new', dan: 'theirs', eve: 'theirs' })
  assert.equal(joined.sent, ['a', 'b', 'x', 'c'])
})

const damaged: [name: string, text: string][] = [
  ['half a file', memoryText(memory({ bob: 'text' })).slice(0, 20)],
  ['another format', '{"format":99}'],
  ['a wrong type', '{"format":1,"drafts":[["bob",1]],"sent":[],"muted":[]}'],
  ['nothing', ''],
]
for (const [name, text] of damaged) {
  test(`${name} is put aside`, () => {
    const directory = newDirectory()
    writeFileSync(join(directory, MEMORY_FILE), text)
    assert.equal(new MemoryFile(directory).read(), emptyMemory)
    assert.is(readFileSync(join(directory, `${MEMORY_FILE}.damaged`), 'utf8'), text)
  })
}

test('it is bounded, the newest stay, and what others wrote into it is safe to draw', () => {
  const large = 'x'.repeat(100 * 1024)
  const many = bounded(memory({ bob: '' }, [...Array.from({ length: 300 }, (_, index) => `${index}`), large]))
  assert.is(many.sent.length, 200)
  assert.is(many.sent.at(-1), large)
  assert.equal(texts(many), {})
  assert.ok(
    memoryText(
      memory(
        {},
        Array.from({ length: 200 }, () => large),
      ),
    ).length <
      1.1 * 1024 * 1024,
  )
  const reply = { id: 'm', from: 'bo\x1b[2Jb', text: 'a\nb' }
  const read = parseMemory(
    JSON.stringify({ format: 1, drafts: [['bob', { text: 'a', cursor: 9, reply }]], sent: [], muted: [] }),
  )
  assert.is(read?.drafts.bob?.cursor, 1)
  assert.not(read?.drafts.bob?.reply?.from.includes('\x1b'))
  assert.is(read?.drafts.bob?.reply?.text, 'a b')
})

test('a draft comes back in its conversation, also one with somebody who has not answered', async () => {
  const directory = newDirectory()
  const before = openKept(directory)
  const store = createStore(stateWith(before.memory))
  before.follow(store)
  for (const text of ['/msg constructor', '\r', 'half a sent', '\r', 'draft']) {
    store.dispatch(text === '\r' ? { type: 'key', key: 'enter' } : { type: 'text', text })
  }
  await before.close()
  const state = stateWith(openKept(directory).memory)
  assert.equal(state.opened, ['constructor'])
  assert.is(draftOfCurrent({ ...state, current: 'constructor' }).text, 'draft')
  assert.equal(state.sent, ['/msg constructor', 'half a sent'])
  assert.is(draftOfCurrent({ ...state, current: 'valueof' }).text, '')
})

test('a directory that cannot be written is said, once', async () => {
  const directory = newDirectory()
  const kept = openKept(join(directory, 'is-not-there'))
  const store = createStore(stateWith(kept.memory))
  kept.follow(store)
  store.dispatch({ type: 'text', text: 'draft' })
  await kept.close()
  assert.match(store.getState().toast?.text ?? '', /Drafts are not kept/)
})

test.run()
