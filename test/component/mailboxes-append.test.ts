// Durable writes: what counts towards W, what is refused and what is unknown, one append per home and turn, epochs, and bad records.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { armMutant } from '../../src/platform/mutants.ts'
import { homeSet } from '../../src/protocol/cluster-map.ts'
import { ChatError } from '../../src/protocol/errors.ts'
import { limits } from '../../src/protocol/limits.ts'
import { eventually } from '../eventually.ts'
import { ManualClock, turns } from './gateway-clock.ts'
import { makeMap, message, startHomes } from './mailboxes-homes.ts'

const append = suite('mailboxes: append')
const never = (): Promise<void> => new Promise(() => {})
const failure = async (promise: Promise<unknown>): Promise<string> => {
  try {
    await promise
    return 'stored'
  } catch (error) {
    return error instanceof ChatError ? `${error.code} ${error.outcome}` : String(error)
  }
}

append('two of three homes are enough, and a third that hangs delays nobody', async () => {
  // The clock stands still: nothing gives up on the home that hangs.
  const { mailboxes, home } = startHomes(makeMap(1), { clock: new ManualClock() })
  home('s2').before = never
  await mailboxes.append(message())
  assert.is(home('s1').held.size, 2)
  assert.is(home('s3').held.size, 2)
})

append('one of three homes is not enough', async () => {
  const { mailboxes, home } = startHomes()
  home('s2').before = never
  home('s3').before = never
  assert.is(await failure(mailboxes.append(message(), { timeoutMs: 50 })), 'OUTCOME_UNKNOWN unknown')
})

append('all writes of a turn are one append per home', async () => {
  const { mailboxes, homes } = startHomes()
  await Promise.all(Array.from({ length: 100 }, () => mailboxes.append(message())))
  await eventually(() => homes.slice(0, 3).every(({ appends }) => appends.length > 0))
  assert.equal(
    homes.map(({ appends }) => appends.map((writes) => writes.length)),
    [[100], [100], [100], []],
  )
})

append('no append is larger than a frame between peers', async () => {
  const { mailboxes, homes } = startHomes()
  await Promise.all(Array.from({ length: 30 }, () => mailboxes.append(message('alice', 'bob', 60_000))))
  for (const { appends } of homes) {
    const sizes = appends.map((writes) => writes.reduce((sum, { sealed }) => sum + sealed.length, 0))
    assert.ok(sizes.every((size) => size < limits.maxPeerFrameBytes))
  }
})

append('refused while too few homes are connected: nothing leaves', async () => {
  const { network, mailboxes, homes } = startHomes()
  network.isolate('s1')
  await mailboxes.append(message())
  mailboxes.mustBeAvailable(['u:alice'])
  network.isolate('s2')
  const before = homes.map(({ held }) => held.size)
  assert.is(await failure(mailboxes.append(message())), 'QUORUM_UNAVAILABLE refused')
  assert.is(await failure((async () => mailboxes.mustBeAvailable(['u:alice']))()), 'QUORUM_UNAVAILABLE refused')
  assert.equal(
    homes.map(({ held }) => held.size),
    before,
  )
})

append('a home that says it takes no writes does not count, until it does again', async () => {
  const { network, mailboxes, home } = startHomes()
  network.isolate('s1')
  home('s2').state = 'read-only'
  assert.is(await failure(mailboxes.append(message())), 'OUTCOME_UNKNOWN unknown')
  assert.is(await failure(mailboxes.append(message())), 'QUORUM_UNAVAILABLE refused')
  home('s2').state = 'up'
  await eventually(async () => (await failure(mailboxes.append(message()))) === 'stored')
})

append('a syncing home counts for writes', async () => {
  const { network, mailboxes, home } = startHomes()
  network.isolate('s1')
  home('s2').state = 'syncing'
  await mailboxes.append(message())
})

append('once an append has left, losing the homes is an unknown outcome', async () => {
  const { network, mailboxes, home } = startHomes()
  home('s1').before = never
  home('s2').before = never
  const outcome = failure(mailboxes.append(message()))
  await eventually(() => home('s3').held.size === 2)
  network.isolate('s1')
  network.isolate('s2')
  assert.is(await outcome, 'OUTCOME_UNKNOWN unknown')
})

append('a home with a newer map teaches it, and the write goes to the new homes within its deadline', async () => {
  const { mailboxes, home, view } = startHomes()
  const newer = makeMap(2, { homes: { current: homeSet(['s2', 's3', 's4']) } })
  for (const name of ['s1', 's2', 's3', 's4']) home(name).view.adopt(newer.sealed)
  await mailboxes.append(message())
  assert.is(view.current().map.epoch, 2)
  await eventually(() => ['s2', 's3', 's4'].every((name) => home(name).held.size === 2))
  assert.is(home('s1').held.size, 0)
})

append('a home that lacks the map is taught, and takes the write', async () => {
  const { mailboxes, home, view } = startHomes()
  view.adopt(makeMap(2).sealed)
  await mailboxes.append(message())
  assert.is(home('s1').view.current().map.epoch, 2)
  await eventually(() => ['s1', 's2', 's3'].every((name) => home(name).held.size === 2))
})

append('in a joint epoch W of both sets are needed', async () => {
  const joint = makeMap(2, { homes: { current: homeSet(['s1']), next: homeSet(['s2', 's3', 's4']) } })
  const { mailboxes, home } = startHomes(joint)
  home('s1').before = never
  assert.is(await failure(mailboxes.append(message(), { timeoutMs: 50 })), 'OUTCOME_UNKNOWN unknown')
  home('s1').before = () => {}
  home('s2').before = never
  home('s3').before = never
  assert.is(await failure(mailboxes.append(message(), { timeoutMs: 50 })), 'OUTCOME_UNKNOWN unknown')
  home('s3').before = () => {}
  await mailboxes.append(message())
})

append('a record that homes find wrong is refused, and fails no other of its turn', async () => {
  const { mailboxes, homes } = startHomes()
  const bad = message()
  for (const home of homes) {
    home.before = (writes) => {
      if (writes.some(({ sealed }) => Buffer.from(sealed).equals(bad.sealed))) throw new ChatError('AUTH_SIGNATURE')
    }
  }
  const writes = [message(), message(), bad, message(), message()]
  const outcomes = await Promise.all(writes.map((write) => failure(mailboxes.append(write))))
  assert.equal(outcomes, ['stored', 'stored', 'AUTH_SIGNATURE refused', 'stored', 'stored'])
})

append('a record that only some homes find wrong has an unknown outcome', async () => {
  const { mailboxes, home } = startHomes()
  const refuse = (): never => {
    throw new ChatError('AUTH_SIGNATURE')
  }
  home('s1').before = refuse
  home('s2').before = refuse
  assert.is(await failure(mailboxes.append(message())), 'OUTCOME_UNKNOWN unknown')
})

append('the same write again is stored again', async () => {
  const { mailboxes, home } = startHomes()
  const write = message()
  await mailboxes.append(write)
  await mailboxes.append(write)
  assert.is(home('s1').held.size, 2)
})

append('a home hears on connection the highest number it gave', async () => {
  const { network, mailboxes, home } = startHomes()
  await mailboxes.append(message())
  await mailboxes.append(message())
  await turns()
  network.disconnect('gw', 's1')
  network.connect('gw', 's1')
  await eventually(() => home('s1').seen.length > 0)
  assert.equal(home('s1').seen, [{ feed: 'feed of s1', batch: 2 }])
})

append('mutants: one home is enough; refused after a partial write', async () => {
  try {
    armMutant('write-quorum-one')
    const first = startHomes()
    first.home('s2').before = never
    first.home('s3').before = never
    await first.mailboxes.append(message())
    armMutant('refused-after-partial-write')
    const second = startHomes()
    second.home('s2').before = never
    second.home('s3').before = never
    assert.is(await failure(second.mailboxes.append(message(), { timeoutMs: 50 })), 'QUORUM_UNAVAILABLE refused')
  } finally {
    armMutant(undefined)
  }
})

append.run()
