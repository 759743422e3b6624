// `chatd cluster check` against stores with every defect it is there for: a check that cannot fail proves nothing.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type CheckOptions, checkCluster } from '../../src/cli/cluster/check.ts'
import { readLedgers } from '../../src/cli/cluster/check-ledger.ts'
import { RecordChecker } from '../../src/cli/cluster/check-records.ts'
import type { CheckReport } from '../../src/cli/cluster/check-report.ts'
import { inspectRoute } from '../../src/node/inspect-route.ts'
import { encryptedSize } from '../../src/protocol/blob.ts'
import { encodeGroup, type GroupRole } from '../../src/protocol/group.ts'
import { homeSet } from '../../src/protocol/cluster-map.ts'
import { hasCode } from '../../src/protocol/errors.ts'
import { fromPlainJson, toPlainJson } from '../../src/protocol/json-bytes.ts'
import { idBytes, idFromBytes } from '../../src/protocol/records.ts'
import { mediaVerify, type StoreWrite } from '../../src/protocol/rpc.ts'
import { seal } from '../../src/protocol/sealed.ts'
import { eventually } from '../eventually.ts'
import { certificateWrite, cluster, device, ledgerAt, message, Stores, tombstone } from '../store-fixture.ts'

const HOMES = ['store-1', 'store-2', 'store-3']

const allUp = (stores: Stores): Promise<boolean> =>
  eventually(() => HOMES.every((name) => stores.store(name).status().state === 'up'), { what: 'all homes are up' })

const checks = suite<{ stores: Stores }>('cluster check')
checks.before.each(async (context) => {
  context.stores = await Stores.start({ stores: HOMES })
  await allUp(context.stores)
})
checks.after.each(({ stores }) => stores.stop())

/** As the admin endpoint of each store answers, JSON included. */
const homeOf =
  (stores: Stores): CheckOptions['home'] =>
  (peer) => ({
    name: peer,
    peer,
    ask: async (method, request) => {
      const body: unknown = JSON.parse(JSON.stringify({ method: method.name, request: toPlainJson(request) }))
      const answer: unknown = await inspectRoute(stores.network.transport(peer))(body)
      return fromPlainJson(JSON.parse(JSON.stringify(answer))) as never // of this very method
    },
  })

const check = (stores: Stores, ledger: string[] = []): Promise<CheckReport> =>
  checkCluster({
    map: async () => stores.map.map,
    home: homeOf(stores),
    ledger: new Set(ledger),
    timeoutMs: 0,
    progress: () => {},
  })

const appendTo = async (stores: Stores, homes: string[], ...writes: StoreWrite[]): Promise<void> => {
  for (const to of homes) await stores.append(writes, { to })
}
const people = (): StoreWrite[] => [certificateWrite('alice'), certificateWrite('bob')]
const kinds = ({ problems }: CheckReport): string[] => problems.map(({ kind }) => kind)

checks('a whole cluster passes, and its counts are right', async ({ stores }) => {
  const sent = [message(), message({ from: 'bob', to: 'alice' })]
  await appendTo(stores, HOMES, ...people(), ...sent)
  const report = await check(
    stores,
    sent.map(({ key }) => idFromBytes(key)),
  )
  assert.equal(report.problems, [])
  assert.ok(report.ok)
  assert.equal(report.kinds, { msg: 2, cert: 2 })
  assert.is(report.entries, 6)
  assert.equal(report.ledger, { ids: 2, found: 2 })
})

checks('a record that one home lacks', async ({ stores }) => {
  await appendTo(stores, HOMES, ...people())
  for (const other of HOMES.slice(0, 2)) stores.network.disconnect('store-3', other)
  await appendTo(stores, HOMES.slice(0, 2), message())
  const report = await check(stores)
  assert.not(report.ok)
  assert.equal([...new Set(kinds(report))], ['lag'])
})

checks('an id of the ledger that is nowhere', async ({ stores }) => {
  await appendTo(stores, HOMES, ...people(), message())
  const report = await check(stores, [idFromBytes(message().key)])
  assert.equal(kinds(report), ['lost'])
  assert.equal(report.ledger, { ids: 1, found: 0 })
})

checks('an id of the ledger that is in one of its two mailboxes only', async ({ stores }) => {
  const sent = message()
  await appendTo(stores, HOMES, ...people(), { ...sent, mailboxes: ['u:bob'] })
  assert.equal(kinds(await check(stores, [idFromBytes(sent.key)])), ['lost'])
})

for (const [copies, expected] of [
  [3, []],
  [2, ['lag']],
  [1, ['lost']],
  [0, ['lost']],
] as const) {
  checks(`an attachment that is whole on ${copies} of three homes`, async ({ stores }) => {
    const blob = 'ab'.repeat(32)
    const size = encryptedSize(100)
    for (const [index, name] of HOMES.entries()) {
      const answer = index < copies ? { size } : index === 2 ? { size: size - 1 } : {}
      stores.network.transport(name).handle(mediaVerify, () => answer)
    }
    await appendTo(stores, HOMES, ...people(), message({ blobs: [[blob, size]] }), message({ blobs: [[blob, size]] }))
    const report = await check(stores)
    assert.equal(kinds(report), expected)
    assert.equal(report.blobs, { named: 1, whole: copies >= 2 ? 1 : 0 })
  })
}

checks('a signature of somebody else', async ({ stores }) => {
  const forged = message({ from: 'alice' })
  forged.sealed[10] = (forged.sealed[10] ?? 0) ^ 1
  await appendTo(stores, HOMES, ...people(), forged)
  const report = await check(stores)
  assert.not(report.ok)
  assert.equal([...new Set(kinds(report))], ['invalid'])
})

checks('a sender without a certificate', async ({ stores }) => {
  await appendTo(stores, HOMES, certificateWrite('bob'), message({ from: 'alice', to: 'bob' }))
  assert.equal([...new Set(kinds(await check(stores)))], ['invalid'])
})

/** `#ops` with alice, bob and (from version 2 on) carol, made and changed by alice. */
const GROUP = `#${idFromBytes(message().key)}`
const groupVersion = (v: number, users: string[]): StoreWrite => {
  const { certificate, sign } = device('alice')
  const [at, id] = [Date.now(), idFromBytes(message().key)]
  const change = v === 1 ? 'create' : 'add'
  const header = { k: 'group', id, from: 'alice', dev: certificate.dev, to: GROUP, at, v, change }
  const members = users.map((user): [string, GroupRole] => [user, user === 'alice' ? 'owner' : 'member'])
  const body = encodeGroup({ group: GROUP, version: v, name: '#ops', members: new Map(members) })
  const sealed = seal({ cluster, header, body, sign })
  return { mailboxes: [`g:${GROUP}`, ...users.map((user) => `u:${user}`)], sealed, acceptedAt: at }
}
const toGroup = (...users: string[]): StoreWrite & { key: Buffer } => ({
  ...message({ to: GROUP }),
  mailboxes: users.map((user) => `u:${user}`),
})
const FIRST = groupVersion(1, ['alice', 'bob'])
const SECOND = groupVersion(2, ['alice', 'bob', 'carol'])

const IN_GROUPS: [name: string, writes: (StoreWrite & { key?: Buffer })[], expected: string[]][] = [
  ['whole at both versions', [FIRST, SECOND, toGroup('alice', 'bob'), toGroup('alice', 'bob', 'carol')], []],
  ['with a member left out', [FIRST, toGroup('alice')], ['lag']],
  ['with a stranger', [FIRST, toGroup('alice', 'bob', 'mallory')], ['invalid']],
  ['decided twice', [FIRST, groupVersion(1, ['alice', 'bob'])], ['invalid']],
  ['of which a member was not told', [{ ...FIRST, mailboxes: [`g:${GROUP}`, 'u:alice'] }], ['lag']],
]
for (const [name, writes, expected] of IN_GROUPS) {
  checks(`a group ${name}: ${expected.join() || 'right'}`, async ({ stores }) => {
    await appendTo(stores, HOMES, ...people(), ...writes)
    const ids = writes.flatMap(({ key }) => (key ? [idFromBytes(key)] : []))
    const report = await check(stores, ids)
    assert.equal(
      [...new Set(kinds(report))].filter((kind) => kind !== 'lost'),
      expected,
    )
    assert.is(report.ledger.found, expected.includes('lag') ? 0 : ids.length)
  })
}

checks(
  'the ledger of a group: right; a version that does not follow; rows that are damaged on most homes',
  async ({ stores }) => {
    await eventually(() => HOMES.every((name) => stores.store(name).status().takesPart))
    const ledger = ledgerAt(stores, 'group-1')
    await ledger.propose(GROUP, 1, FIRST.sealed)
    await appendTo(stores, HOMES, ...people(), FIRST)
    assert.equal((await check(stores)).problems, [])
    await ledger.propose(GROUP, 2, FIRST.sealed)
    assert.equal(kinds(await check(stores)), ['invalid'])
    for (const name of HOMES.slice(0, 2)) {
      stores.disk(name).tamper('messages', (data) => {
        for (const key of data.select({ gte: Buffer.from('R'), lt: Buffer.from('S') })) {
          if (key.toString('latin1').endsWith('/1')) data.apply([{ key, value: Buffer.from('rubbish') }])
        }
      })
    }
    assert.equal([...new Set(kinds(await check(stores)))].sort(), ['damage', 'invalid', 'lost'])
  },
)

checks('a deleted message is a stub, and right as long as its deletion is there', async ({ stores }) => {
  const sent = message()
  await appendTo(stores, HOMES, ...people(), sent)
  await appendTo(stores, HOMES, tombstone(sent.key))
  assert.equal((await check(stores, [idFromBytes(sent.key)])).problems, [])
})

for (const [from, to, named] of [
  ['alice', 'bob', 0],
  ['bob', 'bob', 1],
] as const) {
  checks(`an attachment that is gone, of a message that ${from} deleted: ${named} lost`, async ({ stores }) => {
    for (const name of HOMES) stores.network.transport(name).handle(mediaVerify, () => ({}))
    const sent = message({ blobs: [['ab'.repeat(32), encryptedSize(100)]] })
    await appendTo(stores, HOMES, ...people(), sent)
    await appendTo(stores, HOMES, tombstone(sent.key, { from, to }))
    const report = await check(stores)
    assert.equal(report.blobs, { named, whole: 0 })
    assert.is(kinds(report).filter((kind) => kind === 'lost').length, named)
  })
}

checks('a message whose body is left where its deletion never came needs no attachment', async ({ stores }) => {
  const certificates = async (user: string): Promise<Uint8Array[]> => [device(user).certificate.sealed]
  const checker = new RecordChecker({ map: stores.map.map, certificates })
  const see = ({ key, sealed }: StoreWrite & { key: Buffer }, mailbox: string): Promise<unknown> =>
    checker.check({ mailbox, key, hour: 0 }, sealed)
  const [deleted, forwarded] = ['ab', 'cd'].map((byte) => byte.repeat(32)) as [string, string]
  const size = encryptedSize(100)
  const blobs: [string, number][] = [
    [deleted, size],
    [forwarded, size],
  ]
  const sent = message({ to: GROUP, blobs })
  await see(sent, 'u:carol')
  await see(message({ blobs: [[forwarded, size]] }), 'u:bob')
  for (const [from, to] of [
    ['carol', 'carol'],
    ['alice', 'alice'],
    ['bob', GROUP],
  ] as const)
    await see(tombstone(sent.key, { from, to }), `u:${from}`)
  assert.equal([...checker.attachments.keys()], [deleted, forwarded])
  await see(tombstone(sent.key, { to: GROUP }), 'u:alice')
  assert.equal([...checker.attachments], [[forwarded, size]])
})

checks('homes that are changing', async ({ stores }) => {
  stores.adopt(stores.sign(2, { homes: { current: homeSet(HOMES.slice(0, 2)), next: homeSet(HOMES) } }))
  const report = await check(stores, [idFromBytes(message().key)])
  assert.equal(kinds(report), ['lag'])
  assert.is(report.ledger.found, 0)
})

checks('a home that does not answer', async ({ stores }) => {
  await stores.stopStore('store-2')
  const { problems } = await check(stores)
  assert.ok(problems.some(({ kind, home }) => kind === 'lag' && home === 'store-2'))
})

type Rows = [key: Uint8Array, value: Uint8Array][]
/** What somebody deletes from the database of a stopped store. */
const deleteByHand = async (stores: Stores, id: Buffer, which: (prefix: string) => boolean): Promise<Rows> => {
  await stores.stopStore('store-2')
  const database = await stores.disk('store-2').openDatabase('messages')
  const rows = await database.range({})
  const doomed = rows.filter(([key, value]) => {
    const holdsId = Buffer.from(key).includes(id) || Buffer.from(value).includes(id)
    return holdsId && which(String.fromCharCode(key[0] ?? 0))
  })
  await database.batch(
    doomed.map(([key]) => ({ key, value: undefined })),
    { sync: true },
  )
  await database.close()
  await stores.startStore('store-2')
  // It may be repaired by then: the check has to say all the same what happened.
  await allUp(stores)
  return doomed
}
/** Every byte is where it was. */
const areThereAgain = async (stores: Stores, rows: Rows): Promise<boolean> => {
  await stores.stopStore('store-2')
  const database = await stores.disk('store-2').openDatabase('messages')
  const areSame = rows.map(([key, value]) => Buffer.from(value).equals(database.get(key) ?? Buffer.alloc(0)))
  await database.close()
  return areSame.every(Boolean)
}

const DELETIONS = { 'every key of a record': 'BNK', 'the body': 'B', 'the entry': 'K', 'the place in the feed': 'N' }
for (const [what, prefixes] of Object.entries(DELETIONS)) {
  checks(`${what} deleted by hand from one home`, async ({ stores }) => {
    const sent = message()
    await appendTo(stores, HOMES, ...people(), sent, message())
    assert.ok((await check(stores)).ok)
    const deleted = await deleteByHand(stores, idBytes(idFromBytes(sent.key)), (prefix) => prefixes.includes(prefix))
    assert.ok(deleted.length > 0)
    const report = await check(stores)
    // A place in the feed is made from its entry again, as it was and with nobody's help: then nothing is wrong any more.
    const isHealed = report.ok && prefixes === 'N' && (await areThereAgain(stores, deleted))
    assert.ok(!report.ok || isHealed, JSON.stringify(report))
  })
}

checks.run()

const ledgers = suite<{ dir: string }>('ledgers')
ledgers.before.each((context) => {
  context.dir = mkdtempSync(join(tmpdir(), 'chatd-ledger-'))
})
ledgers.after.each(({ dir }) => rmSync(dir, { recursive: true, force: true }))

const write = (dir: string, name: string, text: string): string => {
  writeFileSync(join(dir, name), text)
  return join(dir, name)
}
const [a, b] = [idFromBytes(message().key), idFromBytes(message().key)]

ledgers('ids of all files, each once; a line that was being written does not count', ({ dir }) => {
  const paths = [write(dir, '1', `${a}\n${b}\n`), write(dir, '2', `${b}\n${a.slice(0, 9)}`), write(dir, '3', b)]
  assert.equal([...readLedgers(paths)], [a, b])
})

ledgers('a file that is missing, a directory, and one that is no ledger', ({ dir }) => {
  for (const [path, code] of [
    [join(dir, 'none'), 'FILE_UNKNOWN'],
    [dir, 'USAGE'],
    [write(dir, 'bad', `hello\n${a}\n`), 'USAGE'],
  ] as const) {
    try {
      readLedgers([path])
      assert.unreachable()
    } catch (error) {
      assert.ok(hasCode(error, code), String(error))
    }
  }
})
ledgers.run()
