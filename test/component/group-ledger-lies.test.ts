// A home that says of the ledger of groups what cannot be: it is as if it had not answered, and nothing is refused or left undone for it.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { FanOut } from '../../src/node/replication/group-ledger-port.ts'
import { homesOf } from '../../src/node/replication/placement.ts'
import { groupMailbox } from '../../src/protocol/names.ts'
import { hasCode } from '../../src/protocol/errors.ts'
import {
  type NewestAnswer,
  ledgerFanOut,
  ledgerLearn,
  ledgerNewest,
  ledgerOpen,
  type OpenFanOut,
} from '../../src/protocol/rpc.ts'
import { eventually } from '../eventually.ts'
import { ledgerAt, newId, Stores, toGroup } from '../store-fixture.ts'

const three = ['store-1', 'store-2', 'store-3']
const test = suite<{ stores: Stores }>('group ledger: lies')

test.before.each(async (context) => {
  const stores = await Stores.start({ stores: three })
  context.stores = stores
  await eventually(() => stores.names.every((name) => stores.store(name).status().takesPart))
})
test.after.each(({ stores }) => stores.stop())

const newGroup = (): string => `#${newId()}`
const messageTo = (group: string): FanOut => {
  const { sealed, acceptedAt } = toGroup({ k: 'msg', to: group, conv: group, seq: 1, ct: 'chat/1', gv: 1 })
  return { group, version: 1, sealed, acceptedAt }
}
/** The home that is asked first. */
const firstHome = ({ map }: Stores, group: string): string => homesOf(map.map, groupMailbox(group)).all[0] ?? ''

const WITHOUT_A_VALUE: NewestAnswer[] = [
  { version: 9, isEstablished: true },
  { version: 2, isEstablished: false },
]
for (const lie of WITHOUT_A_VALUE) {
  test(`a group is there although a home names version ${lie.version} of it and does not show it`, async ({
    stores,
  }) => {
    const ledger = ledgerAt(stores, 'group-1')
    const group = newGroup()
    await ledger.propose(group, 1, Buffer.from('one'))
    stores.network.transport(firstHome(stores, group)).handle(ledgerNewest, () => lie)
    assert.is((await ledger.newest(group))?.version, 1)
  })
}

test('what is open is found although a home names as open what is no record, or none to that group', async ({
  stores,
}) => {
  const ledger = ledgerAt(stores, 'group-1')
  const [group, other] = [newGroup(), newGroup()]
  await ledger.propose(group, 1, Buffer.from('one'))
  const item = messageTo(group)
  const { sealed, acceptedAt } = item
  await ledger.fanOut(item)
  const items: OpenFanOut[] = [
    { group, version: 1, sealed: Buffer.from('no record'), acceptedAt },
    { group: other, version: 1, sealed, acceptedAt },
  ]
  stores.network.transport('store-2').handle(ledgerOpen, () => ({ items }))
  const found = await ledger.unfinished(0)
  assert.equal(
    found.map((item) => item.group),
    [group],
  )
  assert.is(await ledger.settle(item), 'durable')
})

test('a change that is decided is not called refused although a home tells half a key of what was open', async ({
  stores,
}) => {
  const ledger = ledgerAt(stores, 'group-1')
  const group = newGroup()
  stores.network.transport(firstHome(stores, group)).handle(ledgerLearn, () => ({ open: Buffer.alloc(7) }))
  assert.equal(await ledger.propose(group, 1, Buffer.from('one')), Buffer.from('one'))
  assert.equal(await ledger.propose(group, 2, Buffer.from('two')), Buffer.from('two'))
})

test('a message that a home has is not called refused although another one says that it took it nowhere', async ({
  stores,
}) => {
  const ledger = ledgerAt(stores, 'group-1')
  const group = newGroup()
  await ledger.propose(group, 1, Buffer.from('one'))
  const [liar = '', away = ''] = three
  const nowhere = { version: 0, isDone: false, feed: '', peers: [] }
  stores.network.transport(liar).handle(ledgerFanOut, () => nowhere)
  stores.network.disconnect('group-1', away)
  const outcome: unknown = await ledger.fanOut(messageTo(group)).catch((error: unknown) => error)
  assert.ok(hasCode(outcome, 'OUTCOME_UNKNOWN'), String(outcome))
})

test.run()
