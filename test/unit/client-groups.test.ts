// What a device makes of versions that speak against each other: the first that it knows it believes because the cluster gave it.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { EventLog } from '../../src/client/event-log.ts'
import { Groups, type GroupsOptions } from '../../src/client/groups.ts'
import { LocalStore } from '../../src/client/local-store.ts'
import { MemoryDatabase } from '../../src/platform/memory-database.ts'
import { silentLogger } from '../../src/platform/ports.ts'
import { systemClock } from '../../src/platform/system.ts'
import { encodeGroup, type GroupRole, versionHash } from '../../src/protocol/group.ts'
import type { GroupHeader, MessageHeader } from '../../src/protocol/records.ts'
import { seal } from '../../src/protocol/sealed.ts'

const groups = suite('groups of a client')

const GROUP = '#01929b2e-7e10-7f4a-8c3d-1a2b3c4d5e6f'
const add = (by: string, version: number, members: [string, GroupRole][]): { header: GroupHeader; sealed: Buffer } => {
  const author = { id: GROUP.slice(1, -1) + version, from: by, dev: '0123456789abcdef', to: GROUP, at: version }
  const user = version === 2 ? 'mia' : 'bob'
  const header: GroupHeader = { k: 'group', ...author, v: version, change: 'add', users: [user] }
  const body = encodeGroup({ group: GROUP, version, name: '#ops', members: new Map(members) })
  return { header, sealed: seal({ cluster: 'c', header, body, sign: () => new Uint8Array(64) }) }
}
const SECOND = add('olga', 2, [
  ['mia', 'member'],
  ['olga', 'owner'],
])
const THIRD = add('olga', 3, [
  ['bob', 'member'],
  ['mia', 'member'],
  ['olga', 'owner'],
])
const FORGED = add('mia', 3, [
  ['bob', 'member'],
  ['mia', 'owner'],
  ['olga', 'owner'],
])

type Heard = Pick<MessageHeader, 'from' | 'gv' | 'gh'>

const optionsOf = (store: LocalStore): GroupsOptions => ({
  store,
  events: new EventLog(store),
  me: 'bob',
  isWithheld: () => false,
  isTold: () => true,
  onVersion: () => {},
})

const disputedAfter = async (first: typeof SECOND, second: typeof SECOND, heard: Heard[] = []): Promise<string[][]> => {
  const store = new LocalStore({ database: new MemoryDatabase(), clock: systemClock, log: silentLogger })
  const options = optionsOf(store)
  const known = new Groups(options)
  known.file(first.header, first.sealed, 1)
  for (const names of heard) {
    const author = { id: GROUP.slice(1), dev: '0123456789abcdef', to: GROUP, conv: GROUP, seq: 1, at: 1, ct: 'text' }
    assert.is(known.hear({ k: 'msg', ...author, ...names }), false)
  }
  await store.commit({ sync: true })
  const again = new Groups(options)
  await again.load()
  for (const each of [known, again]) each.file(second.header, second.sealed, 2)
  return [known.disputedBy(GROUP), again.disputedBy(GROUP)]
}

groups(
  'one that comes later and speaks against the first that is known is told of, also in the next process',
  async () => {
    assert.equal(await disputedAfter(FORGED, SECOND), [['mia'], ['mia']])
  },
)
groups('one that comes later and is what the first follows from is not', async () => {
  assert.equal(await disputedAfter(THIRD, SECOND), [[], []])
})

groups(
  'messages that named another one before it came are held against it then, also in the next process',
  async () => {
    const own = { from: 'olga', gv: 2, gh: versionHash(SECOND.sealed) }
    const another = { from: 'mia', gv: 2, gh: versionHash(FORGED.sealed) }
    assert.equal(await disputedAfter(THIRD, SECOND, [own, another, another]), [['mia'], ['mia']])
  },
)

groups('whoever was compared with is told of again only by a later version', async () => {
  const store = new LocalStore({ database: new MemoryDatabase(), clock: systemClock, log: silentLogger })
  const options = optionsOf(store)
  const known = new Groups(options)
  known.file(SECOND.header, SECOND.sealed, 1)
  const author = { id: GROUP.slice(1), dev: '0123456789abcdef', to: GROUP, conv: GROUP, seq: 1, at: 1, ct: 'text' }
  const hears = (groups: Groups, from: string, gv: number): boolean =>
    groups.hear({ k: 'msg', ...author, from, gv, gh: versionHash(FORGED.sealed) })
  assert.ok(hears(known, 'mia', 2))
  known.compare(GROUP)
  await store.commit({ sync: true })
  const again = new Groups(options)
  await again.load()
  for (const each of [known, again]) {
    assert.equal(each.disputedBy(GROUP), [])
    assert.not(hears(each, 'mia', 2))
    assert.ok(hears(each, 'olga', 2))
    assert.equal(each.disputedBy(GROUP), ['olga'])
    each.file(THIRD.header, THIRD.sealed, 2)
    assert.ok(hears(each, 'mia', 3))
    assert.equal(each.disputedBy(GROUP), ['mia', 'olga'])
  }
})

groups.run()
