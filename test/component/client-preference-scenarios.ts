// What a client must do with what its user wants of conversations and people, each as a scenario in a world of its own.
import * as assert from 'uvu/assert'
import type { InboxEntry } from '../../src/client/api.ts'
import type { LocalChat } from '../../src/client/local-chat.ts'
import { systemClock } from '../../src/platform/system.ts'
import { hasCode } from '../../src/protocol/errors.ts'
import { eventually, patienceMs } from '../eventually.ts'
import { inWorld, type Scenario } from './client-scenarios.ts'
import { KeptDatabase } from './client-world.ts'

const timeoutMs = 4_000
const STOPPED_AT = Date.now()
const failureOf = (act: Promise<unknown>): Promise<unknown> =>
  act.then(() => undefined).catch((error: unknown) => error)
const inboxOf = async (chat: LocalChat): Promise<InboxEntry | undefined> => (await chat.inbox())[0]

export const preferenceScenarios = {
  'a conversation marked as unread is so on all devices, until it is read': inWorld(async (world) => {
    const [alice, bob, phone] = [world.enrol('alice'), world.enrol('bob'), world.enrol('bob')]
    const [a, b, b2] = [await world.open(alice), await world.open(bob), await world.open(phone)]
    await a.send('bob', 'hi', { wait: 'received', timeoutMs })
    await b.markRead('alice')
    assert.is((await inboxOf(b))?.marked, false)
    await b.markUnread('alice')
    await eventually(async () => {
      const entry = await inboxOf(b2)
      return entry?.marked && entry.unread === 0
    })
    assert.equal(await b2.markRead('alice'), { marked: 0 })
    assert.is((await inboxOf(b2))?.marked, false)
    await eventually(async () => (await inboxOf(b))?.marked === false)
    // The one who wrote learns nothing of it.
    assert.ok(world.mailbox('alice').every(({ header }) => header.k !== 'set' || header.from === 'alice'))
  }),

  'of a block and its end in the same millisecond the end counts, on every device': inWorld(
    async (world) => {
      world.enrol('alice')
      const [bob, phone] = [world.enrol('bob'), world.enrol('bob')]
      const [b, b2] = [await world.open(bob), await world.open(phone)]
      await b.block('alice')
      await b.unblock('alice')
      await eventually(() => world.puts.filter(({ header }) => header.k === 'set').length === 2)
      await eventually(async () => (await b.blocked()).length === 0 && (await b2.blocked()).length === 0)
      await b2.settled({ timeoutMs: patienceMs() })
      assert.equal([await b.blocked(), await b2.blocked()], [[], []])
    },
    { clock: { ...systemClock, now: () => STOPPED_AT } },
  ),

  'nobody blocks oneself: it would hide what one writes': inWorld(async (world) => {
    const b = await world.open(world.enrol('bob'))
    const refusal: unknown = await b.block('bob').catch((error: unknown) => error)
    assert.ok(hasCode(refusal, 'USAGE'))
    assert.equal(await b.blocked(), [])
  }),

  'how loud a conversation is stays on the device, and outlives a restart': inWorld(async (world) => {
    const [alice, bob, phone] = [world.enrol('alice'), world.enrol('bob'), world.enrol('bob')]
    const database = new KeptDatabase()
    const [a, b, b2] = [await world.open(alice), await world.open(bob, database), await world.open(phone)]
    await a.send('bob', 'hi', { wait: 'received', timeoutMs })
    assert.is((await inboxOf(b))?.level, 'all')
    await b.setLevel('alice', 'none')
    await b.close()
    const again = await world.open(bob, database)
    assert.is((await inboxOf(again))?.level, 'none')
    await again.setLevel('alice')
    assert.is((await inboxOf(again))?.level, 'all')
    await eventually(async () => (await inboxOf(b2))?.level === 'all')
    const failure = await again.setLevel('alice', 'loud' as 'all').catch((error: unknown) => error) // as a program may write
    assert.ok(hasCode(failure, 'USAGE'))
  }),

  'what is no conversation is neither muted nor marked nor searched, and a name near it is told': inWorld(
    async (world) => {
      const [alice, bob] = [world.enrol('alice'), world.enrol('bob')]
      const [a, b] = [await world.open(alice), await world.open(bob)]
      await a.send('bob', 'hi', { wait: 'received', timeoutMs })
      await b.group.create('#ops')
      const acts = [
        (name: string) => b.setLevel(name, 'none'),
        (name: string) => b.markUnread(name),
        (name: string) => b.search('hi', { in: name }),
      ]
      for (const act of acts) {
        const [user, group] = [await failureOf(act('alcie')), await failureOf(act('#opps'))]
        assert.ok(hasCode(user, 'CONVERSATION_UNKNOWN') && hasCode(group, 'GROUP_UNKNOWN'))
        assert.match(String(user), /no conversation with alcie on this device; did you mean alice\?/)
        assert.match(String(group), /no conversation with #opps on this device; did you mean #ops\?/)
        assert.match(String(await failureOf(act('zoe'))), /chat inbox/)
        await act('alice')
        await act('#ops')
      }
    },
  ),

  'a conversation that was only begun is muted in advance': inWorld(async (world) => {
    const [alice, bob] = [world.enrol('alice'), world.enrol('bob')]
    const [a, b] = [await world.open(alice), await world.open(bob)]
    assert.is(await b.setLevel('alice', 'none', { begun: true }), 'none')
    assert.equal(await b.inbox(), [])
    await a.send('bob', 'hi', { wait: 'received', timeoutMs })
    assert.is((await inboxOf(b))?.level, 'none')
    assert.ok(hasCode(await failureOf(b.setLevel('no name', 'none', { begun: true })), 'AUTH_NAME_ILLEGAL'))
  }),

  'who was verified and has a new device is told of': inWorld(async (world) => {
    const [alice, bob] = [world.enrol('alice'), world.enrol('bob')]
    const a = await world.open(alice)
    assert.equal(
      (await a.fingerprints('bob')).map(({ device, verified }) => [device, verified]),
      [[bob.device, false]],
    )
    assert.equal(await a.unverified(), [])
    assert.equal(
      (await a.verify('bob')).map(({ verified }) => verified),
      [true],
    )
    assert.equal(await a.unverified(), [])
    const phone = world.enrol('bob')
    // It is heard of once it writes.
    const b2 = await world.open(phone)
    await b2.send('alice', 'new phone', { timeoutMs })
    await eventually(async () => (await a.unverified()).length === 1)
    assert.equal(await a.unverified(), [{ user: 'bob', devices: [phone.device] }])
    const found = await a.fingerprints('bob')
    assert.equal(
      found.filter(({ verified }) => !verified).map(({ device }) => device),
      [phone.device],
    )
    await a.verify('bob')
    assert.equal(await a.unverified(), [])
    assert.ok(hasCode(await a.verify('nobody').catch((error: unknown) => error), 'USER_UNKNOWN'))
  }),
} satisfies Record<string, Scenario>
