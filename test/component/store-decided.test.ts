// What a home says it knows to be decided, while rows are written, lost and read at once: never less, and nothing twice.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { RegisterState } from '../../src/node/replication/acceptor.ts'
import { versionRegister } from '../../src/node/replication/ledger-keys.ts'
import { DecidedDigests } from '../../src/node/store/decided-digests.ts'
import { registerKey } from '../../src/node/store/keys.ts'
import { KnownFeeds } from '../../src/node/store/known-feeds.ts'
import { LedgerRegisters } from '../../src/node/store/ledger-registers.ts'
import { registerValue } from '../../src/node/store/ledger-values.ts'
import { StagedRows } from '../../src/node/store/staged-rows.ts'
import { shardOf } from '../../src/node/replication/placement.ts'
import { MemoryDatabase } from '../../src/platform/memory-database.ts'
import { ChatError } from '../../src/protocol/errors.ts'
import { groupMailbox } from '../../src/protocol/names.ts'
import { newId } from '../store-fixture.ts'

const test = suite('what is decided here')

const group = `#${newId()}`
const nameOf = (version: number): string => versionRegister(group, version)
const keyOf = (version: number): Buffer => registerKey(shardOf(groupMailbox(group)), nameOf(version))
const decided = (value: string): RegisterState => ({
  accepted: { ballot: [1, 1, 'a'], value: Buffer.from(value) },
  isDecided: true,
})

/** Rows whose commits and scans end when the test says so. */
const world = () => {
  const database = new MemoryDatabase()
  const [commits, scans]: [(() => void)[], (() => void)[]] = [[], []]
  let writes: { key: Buffer; value: Buffer | undefined }[] = []
  const rows = new StagedRows({
    database: {
      get: (key) => database.get(key),
      range: async (range) => {
        const found = await database.range(range)
        await new Promise<void>((resolve) => scans.push(resolve))
        return found
      },
    },
    draft: () => ({
      put: (key, value) => writes.push({ key, value }),
      delete: (key) => writes.push({ key, value: undefined }),
    }),
    commit: () => {
      const batch = writes
      writes = []
      return new Promise<void>((resolve) =>
        commits.push(() => {
          database.apply(batch)
          resolve()
        }),
      )
    },
  })
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
  /** Lets the oldest of these go on. */
  const end = async (waiting: (() => void)[]): Promise<void> => {
    await turn()
    waiting.shift()?.()
    await turn()
  }
  const endAll = async (): Promise<void> => {
    await turn()
    while (commits.length + scans.length > 0) {
      await end(commits)
      await end(scans)
    }
  }
  const write = (digests: DecidedDigests, version: number): void => {
    rows.put(keyOf(version), registerValue(keyOf(version), decided(`v${version}`)))
    digests.add(keyOf(version), decided(`v${version}`))
  }
  return { database, rows, commits, scans, end, endAll, write }
}
/** As a home says it that reads everything anew. */
const freshly = async ({ rows, endAll }: ReturnType<typeof world>): Promise<Buffer> => {
  const said = new DecidedDigests(rows).all()
  await endAll()
  return said
}

test('what is decided while everything is read again counts in what everybody is told', async () => {
  const w = world()
  const digests = new DecidedDigests(w.rows)
  w.write(digests, 1)
  const first = digests.all()
  await w.end(w.commits)
  digests.forget()
  const second = digests.all()
  await w.end(w.commits)
  const [ofFirst = () => {}, ofSecond = () => {}] = w.scans.splice(0)
  ofSecond()
  await second
  ofFirst()
  await first
  w.write(digests, 2)
  await w.endAll()
  const told = digests.all()
  await w.endAll()
  assert.equal(await told, await freshly(w))
})

test('what is decided while a commit is under way is not missed because its own is still to come', async () => {
  const w = world()
  const digests = new DecidedDigests(w.rows)
  w.write(digests, 1)
  const told = digests.all()
  w.write(digests, 2) // staged after the commit began: it is in no batch yet
  await w.endAll()
  const later = w.rows.commit()
  await w.endAll()
  await Promise.all([told, later])
  const again = digests.all()
  await w.endAll()
  assert.equal(await again, await freshly(w))
})

test('after a look that failed the next one succeeds', async () => {
  const w = world()
  let isBroken = true
  const rows = Object.assign(Object.create(w.rows) as StagedRows, {
    commit: () => (isBroken ? Promise.reject(new ChatError('STORE_READ_ONLY')) : Promise.resolve()),
    range: () => Promise.resolve([]),
  })
  const digests = new DecidedDigests(rows)
  await digests.all().then(
    () => assert.unreachable(),
    () => {},
  )
  isBroken = false
  await digests.all()
})

test('a damaged row that another home’s row takes the place of is told of, and counted once', async () => {
  const w = world()
  const lost: Buffer[] = []
  const registers = new LedgerRegisters(w.rows, new KnownFeeds(w.rows), (key) => {
    lost.push(key)
    w.rows.delete(key)
    return new ChatError('STORE_SYNCING')
  })
  registers.learn(nameOf(1), Buffer.from('v1'))
  const before = registers.digests()
  await w.endAll()
  await before
  w.database.apply([{ key: keyOf(1), value: Buffer.from('rotten') }])
  registers.keep(keyOf(1), registerValue(keyOf(1), decided('v1')))
  const after = registers.digests()
  await w.endAll()
  assert.is(lost.length, 1)
  assert.equal(await after, await freshly(w))
})

test.run()
