// deadline: 180s
// Deleting a message with a file through real nodes: the homes of the file let it go, also one that was killed meanwhile, by what stands in
// their databases; and its bytes leave the disk. A day is made by changing a row of a stopped node.
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  allBlobs,
  type BlobFacts,
  hasFacts,
  isEndedPin,
  jsonValue,
  openJsonValue,
  pinOfKey,
} from '../../src/node/media/rows.ts'
import { openLevelDatabase } from '../../src/platform/level-database.ts'
import { eventually } from '../eventually.ts'
import { ChatNode } from './chat-node.ts'
import { type Sent, World } from './world.ts'

const DAY_MS = 24 * 3_600_000
const test = suite('attachment deleted')

/** Pins in the database of a stopped node. */
const pinsIn = async (directory: string): Promise<{ live: number; ended: number }> => {
  const database = await openLevelDatabase(join(directory, 'media'))
  try {
    const pins = (await database.keys(allBlobs)).flatMap((key) => pinOfKey(key) ?? [])
    const ended = pins.filter(isEndedPin).length
    return { live: pins.length - ended, ended }
  } finally {
    await database.close()
  }
}
/** As if everything there had been uploaded two days ago. */
const age = async (directory: string): Promise<void> => {
  const database = await openLevelDatabase(join(directory, 'media'))
  for (const [key, value] of await database.range(allBlobs)) {
    const facts = hasFacts(key) ? openJsonValue<BlobFacts>(key, value) : undefined
    if (facts)
      await database.batch([{ key, value: jsonValue(key, { ...facts, at: facts.at - 2 * DAY_MS }) }], { sync: true })
  }
  await database.close()
}
const blobsIn = (directory: string): string[] =>
  readdirSync(join(directory, 'blobs'), { recursive: true, encoding: 'utf8' }).filter((path) =>
    /[0-9a-f]{64}$/.test(path),
  )

test('its bytes leave the disk, those of another message stay', async () => {
  const node = new ChatNode()
  const data = join(node.directory, 'node')
  try {
    await node.start()
    await node.register('alice', 'bob')
    const file = (name: string): string => {
      writeFileSync(join(node.directory, name), `this is ${name}`)
      return join(node.directory, name)
    }
    const send = (name: string): Promise<Sent> => node.json<Sent>('alice', ['send', 'bob', '--file', file(name)])
    const [gone, kept] = [await send('gone.txt'), await send('kept.txt')]
    await node.json('bob', ['history', 'alice'])
    await node.json('alice', ['delete', gone.id])
    const [history] = [await node.json<{ messages?: unknown }>('bob', ['history', 'alice'])]
    assert.match(JSON.stringify(history), '"deleted":true')
    const refused = await node.chat('bob', ['get', gone.id, '--out', node.directory])
    assert.is(refused.code, 4)
    assert.match(refused.stderr, 'That message is deleted')
    await node.stop()
    assert.equal(await pinsIn(data), { live: 1, ended: 1 })
    assert.is(blobsIn(data).length, 2)
    await age(data)
    await node.start()
    await eventually(() => blobsIn(data).length === 1)
    const out = join(node.directory, 'out')
    await node.json('bob', ['get', kept.id, '--out', out])
    assert.equal(readdirSync(out), ['kept.txt'])
  } finally {
    await node.close()
  }
})

test('a home that was killed meanwhile hears of it from the others', async () => {
  const world = await World.up({ gateways: 1, routers: 1, stores: 3 })
  const stores = ['store-1', 'store-2', 'store-3']
  const last = world.nodeDirectory('store-3')
  try {
    await world.register('alice', 'bob')
    writeFileSync(join(world.dir, 'plan.txt'), 'a plan')
    const sent = await world.send('alice', 'bob', 'here it is', '--file', join(world.dir, 'plan.txt'))
    await eventually(() => blobsIn(last).length === 1)
    await world.cluster('kill', 'store-3')
    await world.chat('alice', 'delete', sent.id)
    assert.equal((await pinsIn(last)).ended, 0)
    await eventually(async () => {
      await world.cluster('start', 'store-3')
      await world.cluster('stop', 'store-3')
      return (await pinsIn(last)).ended === 1
    })
    await world.cluster('start', 'store-3')
    const check = await world.check('alice')
    assert.is(check.code, 0, check.stdout + check.stderr)
    assert.equal((JSON.parse(check.stdout) as { blobs: unknown }).blobs, { named: 0, whole: 0 }) // check-report.ts
    for (const store of stores) {
      await world.cluster('stop', store)
      assert.equal(await pinsIn(world.nodeDirectory(store)), { live: 0, ended: 1 }, store)
    }
  } finally {
    await world.end()
  }
})

test.run()
