// What the registers of the group ledger can hold: anything else that a home says is no answer.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { closedRegister, nameRegister, versionRegister } from '../../src/node/replication/ledger-keys.ts'
import { isSoundValue } from '../../src/node/replication/sound-values.ts'
import { encodeGroup } from '../../src/protocol/group.ts'
import type { GroupHeader } from '../../src/protocol/records.ts'
import { seal } from '../../src/protocol/sealed.ts'

const sound = suite('sound values')

const GROUP = '#01929b2e-7e10-7f4a-8c3d-1a2b3c4d5e6f'
const OTHER = '#01929b2e-7e10-7f4a-8c3d-1a2b3c4d5e70'
const versionOf = (group: string, version: number): Buffer => {
  const author = { id: GROUP.slice(1), from: 'olga', dev: '0123456789abcdef', at: 1 }
  const header: GroupHeader = {
    k: 'group',
    ...author,
    to: group,
    v: version,
    change: version === 1 ? 'create' : 'rename',
  }
  const body = encodeGroup({ group, version, name: '#ops', members: new Map([['olga', 'owner']]) })
  return seal({ cluster: 'c', header, body, sign: () => new Uint8Array(64) })
}

const CASES: [name: string, key: string, value: Uint8Array, isSound: boolean][] = [
  ['a version', versionRegister(GROUP, 2), versionOf(GROUP, 2), true],
  ['a version of another number', versionRegister(GROUP, 2), versionOf(GROUP, 3), false],
  ['a version of another group', versionRegister(GROUP, 2), versionOf(OTHER, 2), false],
  ['bytes for a version', versionRegister(GROUP, 2), Buffer.from('no version'), false],
  ['nothing for a version', versionRegister(GROUP, 2), Buffer.alloc(0), false],
  ['the id of a group', nameRegister('#ops'), Buffer.from(GROUP), true],
  ['a name for a name', nameRegister('#ops'), Buffer.from('#ops'), false],
  ['bytes for a name', nameRegister('#ops'), Buffer.from([0xff, 0xfe]), false],
  ['record keys', closedRegister(GROUP, 1), Buffer.alloc(64), true],
  ['no record keys', closedRegister(GROUP, 1), Buffer.alloc(0), true],
  ['half a record key', closedRegister(GROUP, 1), Buffer.alloc(48), false],
]
for (const [name, key, value, isSound] of CASES) {
  sound(`${name} ${isSound ? 'is' : 'is not'} what a register holds`, () =>
    assert.is(isSoundValue(key, value), isSound),
  )
}

sound.run()
