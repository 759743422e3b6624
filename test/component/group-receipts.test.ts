// Receipts of a group's members: each is stored and reaches the sender, hundreds of them in a few frames.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { deviceIdOf } from '../../src/protocol/records.ts'
import { eventually } from '../eventually.ts'
import { ManualClock } from './gateway-clock.ts'
import { cluster, nextId, type TestClient, World } from './gateway-world.ts'
import { newGroupId, outcome } from './group-world.ts'

const receipts = suite('group: receipts')
receipts.after.each(() => World.stopAll())

const READERS = 60
const deviceOf = ({ device }: TestClient): { user: string; dev: string } => {
  if (!device) throw new Error('not logged in')
  return { user: device.user, dev: deviceIdOf(device.key.publicKey) }
}
const receiptOf = (reader: TestClient, sender: TestClient, group: string): Buffer => {
  const [{ user: from, dev }, of] = [deviceOf(reader), deviceOf(sender)]
  const author = { id: nextId(), from, dev, to: of.user, at: reader.world.clock.now() }
  return reader.seal({ k: 'rcpt', ...author, conv: group, st: 'read', r: [[of.dev, 1, 1]] })
}

receipts('all who read at once cost the sender’s gateway and the sender a few frames', async () => {
  const clock = new ManualClock()
  const world = await World.start({ nodes: cluster(2), clock })
  const group = newGroupId()
  const alice = await world.login(await world.register('alice'), 'gateway-1')
  const readers: TestClient[] = []
  for (let i = 0; i < READERS; i++) {
    readers.push(await world.login(await world.register(`reader${i}`), 'gateway-2'))
  }
  let pushes = 0
  world.network.filter = (_from, to, method) => {
    if (method === 'gate.push' && to === 'gateway-1') pushes++
    return true
  }
  const sealed = readers.map((reader) => receiptOf(reader, alice, group))
  const answers: string[] = []
  for (const [i, reader] of readers.entries()) {
    void reader.put(sealed[i] ?? Buffer.alloc(0)).then((frame) => answers.push(outcome(frame)))
    await clock.advance(5)
  }
  await eventually(async () => {
    await clock.advance(10)
    return alice.pushed().length === READERS
  })
  assert.equal(new Set(answers), new Set(['record.stored']))
  assert.is(new Set(alice.pushed()).size, READERS)
  // They came within 300 ms: four windows of 90.
  assert.ok(pushes <= 5, `${pushes} pushes between gateways`)
  assert.ok(alice.ofType('record.push').length <= 5, `${alice.ofType('record.push').length} frames`)
})

receipts.run()
