// Copies of a group's message on their way: counted and waited for until the last of them has settled, also where one failed at once.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Copies } from '../../src/node/group/copies.ts'
import type { Mailboxes } from '../../src/node/replication/mailboxes.ts'
import { silentLogger } from '../../src/platform/ports.ts'
import { systemClock } from '../../src/platform/system.ts'
import { ChatError } from '../../src/protocol/errors.ts'
import { MemoryGroupLedger, MemoryLedgerState } from '../memory-group-ledger.ts'
import { newId, toGroup } from '../store-fixture.ts'

test('what is on its way to some members counts and is waited for although the homes of others are away', async () => {
  const slow = Promise.withResolvers<void>()
  const append = ({ mailboxes }: { mailboxes: readonly string[] }): Promise<void> =>
    mailboxes.includes('u:bob') ? Promise.reject(new ChatError('QUORUM_UNAVAILABLE')) : slow.promise
  const copies = new Copies({
    ledger: new MemoryGroupLedger(new MemoryLedgerState(), systemClock),
    mailboxes: { append } as unknown as Mailboxes, // nothing else of it is used
    log: silentLogger,
  })
  const group = `#${newId()}`
  const { sealed, acceptedAt } = toGroup({ k: 'msg', to: group, conv: group, seq: 1, ct: 'chat/1', gv: 1 })
  void copies.bring({ group, version: 1, sealed, acceptedAt }, [['u:bob'], ['u:carol', 'u:dave']])
  let isIdle = false
  const idle = copies.idle().then(() => (isIdle = true))
  await new Promise(setImmediate)
  assert.is(copies.waiting, 3)
  assert.is(isIdle, false)
  slow.resolve()
  await idle
  assert.is(copies.waiting, 0)
})

test.run()
