// The rules of groups: who may change what, what follows from what, and which bodies are versions of a group at all.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { toUtf8 } from '../../src/protocol/bytes.ts'
import { ChatError, type ErrorCode } from '../../src/protocol/errors.ts'
import {
  checkChange,
  encodeGroup,
  type GroupChange,
  type GroupRole,
  type GroupState,
  nextState,
  openGroup,
} from '../../src/protocol/group.ts'
import { groupMailbox, isGroupId, isGroupName } from '../../src/protocol/names.ts'
import { type GroupHeader, openRecord } from '../../src/protocol/records.ts'
import { seal } from '../../src/protocol/sealed.ts'

const GROUP = '#01929b2e-7e10-7f4a-8c3d-1a2b3c4d5e6f'
const cluster = 'c'.repeat(64)

const members: [string, GroupRole][] = [
  ['ann', 'admin'],
  ['bob', 'member'],
  ['eva', 'admin'],
  ['max', 'member'],
  ['olga', 'owner'],
]
const before: GroupState = { group: GROUP, version: 7, name: '#ops', members: new Map(members) }

const headerOf = ({ by, change, users }: GroupChange, v: number): GroupHeader => ({
  ...{ k: 'group', id: GROUP.slice(1), from: by, dev: '0123456789abcdef', to: GROUP, at: 1_790_000_000_000, v, change },
  ...(users ? { users: [...users] } : {}),
})
const sealedOf = (header: GroupHeader, body: unknown): Buffer =>
  seal({ cluster, header, body: toUtf8(JSON.stringify(body)), sign: () => new Uint8Array(64) })
const codeOf = (run: () => unknown): ErrorCode | 'fine' => {
  try {
    run()
    return 'fine'
  } catch (error) {
    if (error instanceof ChatError) return error.code
    throw error
  }
}

const change = suite('group: change')

const CHANGES: [wanted: GroupChange, expected: ErrorCode | 'fine'][] = [
  [{ by: 'olga', change: 'add', users: ['zoe'] }, 'fine'],
  [{ by: 'ann', change: 'add', users: ['zoe', 'carl'] }, 'fine'],
  [{ by: 'bob', change: 'add', users: ['zoe'] }, 'GROUP_DENIED'],
  [{ by: 'mallory', change: 'add', users: ['mallory'] }, 'GROUP_DENIED'],
  [{ by: 'olga', change: 'add', users: ['bob'] }, 'GROUP_MEMBER_KNOWN'],
  [{ by: 'olga', change: 'add', users: ['No Body'] }, 'AUTH_NAME_ILLEGAL'],
  [{ by: 'olga', change: 'add', users: [] }, 'GROUP_INVALID'],
  [{ by: 'olga', change: 'add', users: ['zoe', 'zoe'] }, 'GROUP_INVALID'],
  [{ by: 'olga', change: 'remove', users: ['ann', 'bob'] }, 'fine'],
  [{ by: 'ann', change: 'remove', users: ['bob'] }, 'fine'],
  [{ by: 'ann', change: 'remove', users: ['eva'] }, 'GROUP_DENIED'],
  [{ by: 'ann', change: 'remove', users: ['olga'] }, 'GROUP_DENIED'],
  [{ by: 'bob', change: 'remove', users: ['max'] }, 'GROUP_DENIED'],
  [{ by: 'olga', change: 'remove', users: ['zoe'] }, 'GROUP_MEMBER_UNKNOWN'],
  [{ by: 'olga', change: 'remove', users: ['olga'] }, 'GROUP_OWNER_NEEDED'],
  [{ by: 'bob', change: 'leave' }, 'fine'],
  [{ by: 'ann', change: 'leave' }, 'fine'],
  [{ by: 'olga', change: 'leave' }, 'GROUP_OWNER_NEEDED'],
  [{ by: 'mallory', change: 'leave' }, 'GROUP_DENIED'],
  [{ by: 'olga', change: 'role', users: ['ann'], role: 'owner' }, 'fine'],
  [{ by: 'olga', change: 'role', users: ['ann'], role: 'member' }, 'fine'],
  [{ by: 'olga', change: 'role', users: ['olga'], role: 'member' }, 'GROUP_OWNER_NEEDED'],
  [{ by: 'ann', change: 'role', users: ['ann'], role: 'owner' }, 'GROUP_DENIED'],
  [{ by: 'olga', change: 'role', users: ['zoe'], role: 'owner' }, 'GROUP_MEMBER_UNKNOWN'],
  [{ by: 'olga', change: 'rename', name: '#sre' }, 'fine'],
  [{ by: 'ann', change: 'rename', name: '#sre' }, 'fine'],
  [{ by: 'bob', change: 'rename', name: '#sre' }, 'GROUP_DENIED'],
  [{ by: 'olga', change: 'rename', name: 'sre' }, 'GROUP_NAME_ILLEGAL'],
  [{ by: 'olga', change: 'topic', topic: 'Deploys on Thursdays 🚀' }, 'fine'],
  [{ by: 'ann', change: 'topic', topic: '' }, 'fine'],
  [{ by: 'ann', change: 'topic', topic: 'é'.repeat(512) }, 'fine'],
  [{ by: 'ann', change: 'topic', topic: 'é'.repeat(513) }, 'GROUP_TOPIC_ILLEGAL'],
  [{ by: 'ann', change: 'topic', topic: 'two\nlines' }, 'GROUP_TOPIC_ILLEGAL'],
  [{ by: 'ann', change: 'topic', topic: 'half a pair \ud83d' }, 'GROUP_TOPIC_ILLEGAL'],
  [{ by: 'bob', change: 'topic', topic: 'mine' }, 'GROUP_DENIED'],
  [{ by: 'olga', change: 'topic', topic: 'for whom', users: ['bob'] }, 'GROUP_INVALID'],
  [{ by: 'olga', change: 'create', name: '#ops' }, 'GROUP_INVALID'],
]
for (const [wanted, expected] of CHANGES) {
  const { by, change: verb, users = [], role = '', name = '', topic = '' } = wanted
  change(`${by}: ${verb} ${[...users, role, name, JSON.stringify(topic.slice(0, 30))].join(' ')}: ${expected}`, () => {
    assert.is(
      codeOf(() => nextState(before, wanted)),
      expected,
    )
    if (expected !== 'fine') return
    const after = nextState(before, wanted)
    assert.is(after.version, 8)
    checkChange(before, headerOf(wanted, 8), after)
  })
}

change('what the changes make of the members', () => {
  const after = (wanted: GroupChange): unknown => [...nextState(before, wanted).members]
  const [ann, bob, eva, max, olga] = members
  assert.equal(after({ by: 'ann', change: 'add', users: ['carl'] }), [ann, bob, ['carl', 'member'], eva, max, olga])
  assert.equal(after({ by: 'olga', change: 'remove', users: ['ann', 'max'] }), [bob, eva, olga])
  assert.equal(after({ by: 'bob', change: 'leave' }), [ann, eva, max, olga])
  const heir: GroupChange = { by: 'olga', change: 'role', users: ['eva'], role: 'owner' }
  assert.equal(after(heir), [ann, bob, ['eva', 'owner'], max, olga])
  assert.is(
    codeOf(() => nextState(nextState(before, heir), { by: 'olga', change: 'leave' })),
    'fine',
  )
})
change('the last member is told that there is nobody to hand the group to', () => {
  const alone = { ...before, members: new Map([['olga', 'owner' as const]]) }
  assert.throws(() => nextState(alone, { by: 'olga', change: 'leave' }), /last member/)
})
change('a topic stays through every other change, until it is taken away', () => {
  const after = nextState(before, { by: 'ann', change: 'topic', topic: 'Thursdays' })
  assert.is(after.topic, 'Thursdays')
  assert.is(nextState(after, { by: 'olga', change: 'rename', name: '#sre' }).topic, 'Thursdays')
  assert.is(nextState(after, { by: 'ann', change: 'add', users: ['zoe'] }).topic, 'Thursdays')
  assert.not('topic' in nextState(after, { by: 'olga', change: 'topic', topic: '' }))
})
change('a new group has its creator as owner', () => {
  const wanted: GroupChange = { by: 'olga', change: 'create', name: '#ops', users: ['max', 'bob', 'olga'] }
  const made = nextState(undefined, wanted, GROUP)
  const expected = { group: GROUP, version: 1, name: '#ops' }
  const others: [string, GroupRole][] = [
    ['bob', 'member'],
    ['max', 'member'],
  ]
  assert.equal(made, { ...expected, members: new Map<string, GroupRole>([...others, ['olga', 'owner']]) })
  checkChange(undefined, headerOf(wanted, 1), made)
  assert.is(
    codeOf(() => nextState(undefined, { by: 'bob', change: 'leave', name: '#ops' }, GROUP)),
    'GROUP_UNKNOWN',
  )
  assert.is(
    codeOf(() => nextState(undefined, { ...wanted, name: '#Ops' }, GROUP)),
    'GROUP_NAME_ILLEGAL',
  )
})
change.run()

const check = suite('group: check')

const FORGED: [name: string, header: Partial<GroupHeader>, after: Partial<GroupState>, expected: ErrorCode][] = [
  [
    'a member smuggled in beside the one that is named',
    {},
    { members: new Map([...members, ['zed', 'member'], ['zoe', 'member']]) },
    'GROUP_INVALID',
  ],
  [
    'a role changed on the way',
    {},
    { members: new Map<string, GroupRole>([...members, ['zoe', 'admin']]) },
    'GROUP_INVALID',
  ],
  ['a name changed on the way', {}, { name: '#dev' }, 'GROUP_INVALID'],
  ['a topic changed on the way', {}, { topic: 'mine' }, 'GROUP_INVALID'],
  ['a version left out', { v: 9 }, { version: 9 }, 'GROUP_INVALID'],
  ['another group', { to: GROUP.replace('1a2b', '2b1a') }, {}, 'GROUP_INVALID'],
  ['another change than the state shows', { change: 'leave' }, {}, 'GROUP_INVALID'],
  ['in the name of a member', { from: 'bob' }, {}, 'GROUP_DENIED'],
]
for (const [name, forged, changed, expected] of FORGED) {
  check(`${name}: ${expected}`, () => {
    const wanted: GroupChange = { by: 'olga', change: 'add', users: ['zoe'] }
    const header = { ...headerOf(wanted, 8), ...forged }
    assert.is(
      codeOf(() => checkChange(before, header, { ...nextState(before, wanted), ...changed })),
      expected,
    )
  })
}
check('a creator who gives others more than membership: GROUP_INVALID', () => {
  const wanted: GroupChange = { by: 'olga', change: 'create', name: '#ops' }
  const state: GroupState = {
    group: GROUP,
    version: 1,
    name: '#ops',
    members: new Map([
      ['ann', 'admin'],
      ['olga', 'owner'],
    ]),
  }
  assert.is(
    codeOf(() => checkChange(undefined, headerOf(wanted, 1), state)),
    'GROUP_INVALID',
  )
})
check.run()

const format = suite('group: format')

format('a version is read back as it was written', () => {
  const header = headerOf({ by: 'olga', change: 'rename' }, 7)
  const sealed = seal({ cluster, header, body: encodeGroup(before), sign: () => new Uint8Array(64) })
  assert.equal(openGroup(sealed), { header, state: before })
  const about = { ...before, topic: 'Deploys on Thursdays' }
  const said = seal({ cluster, header, body: encodeGroup(about), sign: () => new Uint8Array(64) })
  assert.equal(openGroup(said).state, about)
  assert.equal(openRecord(sealed).mailboxes, [groupMailbox(GROUP)])
  assert.is(openRecord(sealed).group, GROUP)
})
const BODIES: [name: string, body: unknown][] = [
  ['no object', 7],
  ['no members', { name: '#ops' }],
  ['an illegal name', { name: 'ops', members: [] }],
  ['an empty topic', { name: '#ops', topic: '', members: [] }],
  ['a topic of two lines', { name: '#ops', topic: 'a\nb', members: [] }],
  ['a topic that is no text', { name: '#ops', topic: 7, members: [] }],
  ['an unknown role', { name: '#ops', members: [['bob', 'king']] }],
  ['no user', { name: '#ops', members: [['#bob', 'member']] }],
  [
    'not sorted',
    {
      name: '#ops',
      members: [
        ['max', 'member'],
        ['bob', 'owner'],
      ],
    },
  ],
  [
    'one of them twice',
    {
      name: '#ops',
      members: [
        ['bob', 'owner'],
        ['bob', 'member'],
      ],
    },
  ],
]
for (const [name, body] of BODIES) {
  format(`a body with ${name} is none`, () => {
    const header = headerOf({ by: 'olga', change: 'rename' }, 7)
    assert.is(
      codeOf(() => openGroup(sealedOf(header, body))),
      'GROUP_INVALID',
    )
  })
}
format('names and ids are never taken for each other', () => {
  assert.ok(isGroupId(GROUP) && !isGroupName(GROUP))
  assert.ok(isGroupName('#ops') && !isGroupId('#ops'))
  assert.not(isGroupId('#01929B2E-7E10-7F4A-8C3D-1A2B3C4D5E6F'))
})
format('records are addressed to ids, messages with a version', () => {
  const message = {
    k: 'msg',
    id: GROUP.slice(1),
    from: 'bob',
    dev: '0123456789abcdef',
    to: GROUP,
    at: 1,
    conv: GROUP,
    seq: 1,
    ct: 'chat/1',
  }
  const open =
    (header: object): (() => unknown) =>
    () =>
      openRecord(sealedOf(header as GroupHeader, ''))
  assert.is(codeOf(open({ ...message, gv: 1 })), 'fine')
  assert.equal(openRecord(sealedOf({ ...message, gv: 1 } as unknown as GroupHeader, '')).mailboxes, ['u:bob'])
  assert.is(codeOf(open(message)), 'MESSAGE_INVALID')
  assert.is(codeOf(open({ ...message, gv: 1, to: '#ops', conv: '#ops' })), 'MESSAGE_INVALID')
  assert.is(codeOf(open({ ...message, gv: 1, conv: 'ann:bob' })), 'MESSAGE_INVALID')
  assert.is(codeOf(open({ ...message, gv: 1, seq: 3, gs: 2 })), 'fine')
  for (const gs of [0, 3, 4, '2', null]) {
    assert.is(codeOf(open({ ...message, gv: 1, seq: 3, gs })), 'MESSAGE_INVALID')
  }
  assert.is(codeOf(open({ ...message, to: 'ann', conv: 'ann:bob', seq: 3 })), 'fine')
  assert.is(codeOf(open({ ...message, to: 'ann', conv: 'ann:bob', seq: 3, gs: 2 })), 'MESSAGE_INVALID')
  const hash = 'ab'.repeat(16)
  assert.is(codeOf(open({ ...message, gv: 1, gh: hash })), 'fine')
  for (const gh of ['', hash.slice(1), hash.toUpperCase(), 7, null]) {
    assert.is(codeOf(open({ ...message, gv: 1, gh })), 'MESSAGE_INVALID')
  }
  assert.is(codeOf(open({ ...message, to: 'ann', conv: 'ann:bob', gh: hash })), 'MESSAGE_INVALID')
  assert.is(codeOf(open({ ...message, k: 'void' })), 'fine')
  assert.is(codeOf(open({ ...message, k: 'set', key: 'x' })), 'MESSAGE_INVALID')
  const receipt = { ...message, k: 'rcpt', to: 'ann', st: 'read', r: [['0123456789abcdef', 1, 2]] }
  assert.is(codeOf(open(receipt)), 'fine')
  assert.is(codeOf(open({ ...receipt, to: GROUP })), 'MESSAGE_INVALID')
})
format.run()
