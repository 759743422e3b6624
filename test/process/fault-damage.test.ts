// deadline: 600s
// Records deleted by hand from one home's database while it was stopped: the home must not pass for whole, whatever repair restores.
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openLevelDatabase } from '../../src/platform/level-database.ts'
import { idBytes } from '../../src/protocol/records.ts'
import { eventually } from '../eventually.ts'
import { run, World } from './world.ts'

interface Context {
  world: World
  ids: string[]
}
const damage = suite<Context>('damage')

damage.before(async (context) => {
  context.world = await World.up({ gateways: 1, routers: 1, stores: 3 })
  await context.world.register('alice', 'bob')
  context.ids = []
  for (const text of ['one', 'two', 'three']) context.ids.push((await context.world.send('alice', 'bob', text)).id)
})
damage.after(({ world }) => world.end())

/** Deletes what the database of a stopped store has of a message, as far as its keys name it; how many keys that were. */
const deleteByHand = async (
  world: World,
  store: string,
  id: string,
  which: (key: Buffer) => boolean,
): Promise<number> => {
  const database = await openLevelDatabase(join(world.nodeDirectory(store), 'messages'))
  const rows = await database.range({})
  const doomed = rows
    .filter(([key, value]) => [key, value].some((bytes) => Buffer.from(bytes).includes(idBytes(id))))
    .map(([key]) => Buffer.from(key))
    .filter(which)
  await database.batch(
    doomed.map((key) => ({ key, value: undefined })),
    { sync: true },
  )
  await database.close()
  return doomed.length
}

const isEntry = (key: Buffer): boolean => key.toString('latin1', 0, 1) === 'K'
const isBody = (key: Buffer): boolean => key.toString('latin1', 0, 1) === 'B'

const problemsAfter = async (world: World, store: string): Promise<string> => {
  await world.cluster('start', store)
  const { code, stdout, stderr } = await world.check('alice')
  assert.is(code, 1, `the check passed: ${stdout}${stderr}`)
  const report = JSON.parse(stdout) as { problems: { text: string; home?: string }[] } // chatd cluster check --json
  assert.ok(
    report.problems.some(({ home }) => home === store),
    stdout,
  )
  return stdout
}

damage('a whole cluster passes', async ({ world }) => {
  const { code, stdout, stderr } = await world.check('alice')
  assert.is(code, 0, stdout + stderr)
})

damage(
  'every key of a record is gone from one home: its count gives it away, also after repair',
  async ({ world, ids }) => {
    await world.cluster('stop', 'store-1')
    assert.ok((await deleteByHand(world, 'store-1', ids[0] ?? '', () => true)) >= 3)
    await problemsAfter(world, 'store-1')
    // Nothing is lost: the others have it.
    const { stdout } = await world.tryChat('bob', 'listen', '--count', '3', '--timeout', '60s', '--json')
    assert.is(stdout.trim().split('\n').length, 3)
  },
)

damage('repaired, and acknowledged by the operator, it passes again', async ({ world }) => {
  const accepted = await run('chatd', ['repair', '--accept-loss', '--data', world.nodeDirectory('store-1')])
  assert.is(accepted.code, 0, accepted.stderr)
  const { code, stdout, stderr } = await world.check('alice')
  assert.is(code, 0, stdout + stderr)
})

damage(
  'only its entries are gone: read back under other numbers, and accepted, it passes again',
  async ({ world, ids }) => {
    await world.cluster('stop', 'store-3')
    assert.is(await deleteByHand(world, 'store-3', ids[2] ?? '', isEntry), 2)
    await problemsAfter(world, 'store-3')
    const accepted = await run('chatd', ['repair', '--accept-loss', '--data', world.nodeDirectory('store-3')])
    assert.is(accepted.code, 0, accepted.stderr)
    const { code, stdout, stderr } = await world.check('alice')
    assert.is(code, 0, stdout + stderr)
  },
)

damage('only the body is gone from another home: it says so, and has it back', async ({ world, ids }) => {
  await world.cluster('stop', 'store-2')
  assert.is(await deleteByHand(world, 'store-2', ids[1] ?? '', isBody), 1)
  await world.cluster('start', 'store-2')
  await eventually(async () => (await world.check('alice')).code === 0)
  assert.match(await world.cluster('logs', 'store-2'), /some of what this home holds is damaged/)
})

damage.run()
