// What a device makes of a record of a group by what it knows: the orders in which records come that cost somebody his group.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type GroupKnowledge, type Standing, standingOf } from '../../src/client/group-standing.ts'
import { encodeGroup, type GroupRole, type GroupState } from '../../src/protocol/group.ts'
import { type GroupHeader, type MessageHeader, openRecord, type VoidHeader } from '../../src/protocol/records.ts'
import { seal } from '../../src/protocol/sealed.ts'

const GROUP = '#01929b2e-7e10-7f4a-8c3d-1a2b3c4d5e6f'
const sealing = { cluster: 'c'.repeat(64), sign: () => new Uint8Array(64) }
const author = (from: string) => ({
  id: GROUP.slice(1),
  from,
  dev: '0123456789abcdef',
  to: GROUP,
  at: 1_790_000_000_000,
})

let known: GroupKnowledge
const state = (version: number, ...members: string[]): GroupState => ({
  group: GROUP,
  version,
  name: '#ops',
  members: new Map(members.map((user): [string, GroupRole] => [user, user === 'olga' ? 'owner' : 'member'])),
})
const versionBy = (from: string, change: Pick<GroupHeader, 'change' | 'users'>, after: GroupState): Standing => {
  const header: GroupHeader = { k: 'group', ...author(from), v: after.version, ...change }
  return standingOf(openRecord(seal({ ...sealing, header, body: encodeGroup(after) })), known)
}
const messageOf = (from: string, gv: number): Standing => {
  const header: MessageHeader = { k: 'msg', ...author(from), conv: GROUP, seq: 1, ct: 'chat/1', gv }
  return standingOf(openRecord(seal({ ...sealing, header })), known)
}

/** bob was in at 1, taken out by 2, and is in again since 7; 3 to 6 are not here. carl left with 2. */
const versions = [state(1, 'bob', 'carl', 'olga'), state(2, 'olga'), state(7, 'bob', 'max', 'olga')]
const withheld = new Set<number>()
const told = new Set<number>()
const standing = suite('client: standing in groups')
standing.before.each(() => {
  withheld.clear()
  told.clear()
  known = {
    me: 'bob',
    known: [[1, 2]],
    mine: [[1, 1]],
    at: (version) => versions.find((each) => each.version === version),
    wasMember: (user) => user !== 'zoe',
    wasMemberSince: (user) => user === 'max',
    isWithheld: (version) => withheld.has(version),
    isTold: (_, { v }) => told.has(v),
  }
})

standing('a version that takes one out may come before the one that let him in again', () => {
  assert.is(versionBy('olga', { change: 'remove', users: ['bob'] }, state(4, 'olga')), 3)
  assert.is(versionBy('bob', { change: 'leave' }, state(4, 'olga')), 3)
  withheld.add(3)
  assert.is(versionBy('olga', { change: 'remove', users: ['bob'] }, state(4, 'olga')), 'not a member')
})

standing('a version that has nothing to do with one is none of his', () => {
  assert.is(versionBy('olga', { change: 'remove', users: ['max'] }, state(4, 'olga')), 'not a member')
})

standing('who joined later believes whoever has been in since, and asks before he refuses', () => {
  known.known.push([7, 7])
  known.mine.push([7, 7])
  assert.is(messageOf('max', 7), 'valid')
  assert.is(messageOf('max', 6), 'valid')
  assert.is(messageOf('carl', 7), 'not a member')
  assert.is(messageOf('carl', 6), 0, 'carl was in before only: a newer version would have to say otherwise')
})

standing('what is said of messages waits for the version that let its author in', () => {
  const voidBy = (from: string): Standing => {
    const header: VoidHeader = { k: 'void', ...author(from), conv: GROUP, seq: 3 }
    return standingOf(openRecord(seal({ ...sealing, header })), known)
  }
  assert.is(voidBy('max'), 'valid')
  assert.is(voidBy('zoe'), 0, 'she may be in by now')
  known = { ...known, known: [], mine: [] }
  assert.is(voidBy('max'), 0)
})

standing('what nothing known here speaks for is believed as soon as the cluster says that it was decided', () => {
  const added = (): Standing => versionBy('olga', { change: 'add', users: ['bob'] }, state(5, 'bob', 'olga'))
  assert.is(added(), 5, 'it is asked for')
  told.add(5)
  assert.is(added(), 'valid')
  const addedByHer = (): Standing => versionBy('olga', { change: 'add', users: ['bob'] }, state(3, 'bob', 'olga'))
  assert.is(addedByHer(), 3, 'an owner can sign two of one number')
  known = { ...known, known: [], mine: [], at: () => undefined }
  const made = (by: string): Standing => versionBy(by, { change: 'create' }, state(1, 'bob', 'olga'))
  assert.is(made('olga'), 1, 'anybody can sign the first version of a group, under any name')
  const renamed = (): Standing => versionBy('olga', { change: 'rename' }, state(6, 'bob', 'olga'))
  withheld.add(5)
  assert.is(renamed(), 6, 'the first that can be known')
})

standing.run()
