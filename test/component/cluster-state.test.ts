// What `chatd cluster` keeps on disk and how it knows processes: no update is lost, a stale lock holds nobody up, no stranger is signalled.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { pickPorts } from '../../src/cli/cluster/ports.ts'
import {
  endProcess,
  livenessOf,
  processRef,
  signalProcess,
  waitForLiveness,
} from '../../src/cli/cluster/process-identity.ts'
import { type ClusterState, readState, requireState, updateState, writeState } from '../../src/cli/cluster/state.ts'
import { hasCode } from '../../src/protocol/errors.ts'
import { patienceMs } from '../eventually.ts'

const empty: ClusterState = { version: 1, cluster: '', authority: 'router-1', nodes: [], proxied: true, cuts: [] }

const state = suite<{ dir: string }>('state')
state.before.each((context) => {
  context.dir = mkdtempSync(join(tmpdir(), 'chatd-state-'))
})
state.after.each(({ dir }) => rmSync(dir, { recursive: true, force: true }))

state('updates at the same time are all kept, in a file for its owner only', async ({ dir }) => {
  writeState(dir, empty)
  const names = Array.from({ length: 20 }, (_, i) => `store-${i}`)
  await Promise.all(
    names.map((name) =>
      updateState(dir, async ({ nodes }) => {
        await Promise.resolve()
        nodes.push({ name, roles: ['store'], ports: { listen: 1, admin: 2 } })
      }),
    ),
  )
  assert.equal(
    readState(dir)
      ?.nodes.map((node) => node.name)
      .sort(),
    names.sort(),
  )
  assert.is(statSync(join(dir, 'cluster.json')).mode & 0o777, 0o600)
})

state('a change that throws changes nothing and gives the lock back', async ({ dir }) => {
  writeState(dir, empty)
  const failed = await updateState(dir, (fresh) => {
    fresh.cluster = 'half'
    throw new Error('no')
  }).catch((error: unknown) => error)
  assert.instance(failed, Error)
  assert.is((await updateState(dir, () => {})).cluster, '')
})

state('the lock of a process that is gone counts for nothing', async ({ dir }) => {
  writeState(dir, empty)
  writeFileSync(join(dir, 'cluster.lock'), JSON.stringify({ pid: process.pid, startedAt: 'another life' }))
  await updateState(dir, (fresh) => {
    fresh.cluster = 'x'
  })
  assert.is(readState(dir)?.cluster, 'x')
})

state('where there is no cluster the error says so', ({ dir }) => {
  try {
    requireState(dir)
    assert.unreachable()
  } catch (error) {
    assert.ok(hasCode(error, 'CLUSTER_STATE'))
  }
})
state.run()

const processes = suite('processes')
const sleeper = (): ReturnType<typeof spawn> =>
  spawn(
    process.execPath,
    ['-e', 'setInterval(() => {}, 1000); process.on("SIGTERM", () => process.exit(0)); console.log(1)'],
    {
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  )
const started = async (child: ReturnType<typeof spawn>): Promise<NonNullable<ReturnType<typeof processRef>>> => {
  await new Promise((resolve) => child.stdout?.once('data', resolve))
  const ref = processRef(child.pid ?? 0)
  if (!ref) throw new Error('it did not start')
  return ref
}

processes('a paused process is seen as such and ended all the same', async () => {
  const ref = await started(sleeper())
  assert.is(livenessOf(ref), 'running')
  signalProcess(ref, 'SIGSTOP')
  assert.ok(await waitForLiveness(ref, 'paused', patienceMs()))
  assert.ok(await endProcess(ref, 5_000))
  assert.is(livenessOf(ref), 'gone')
})

processes('a pid that belongs to another process by now is never signalled', async () => {
  const child = sleeper()
  const ref = await started(child)
  const stranger = { ...ref, startedAt: `${ref.startedAt}0` }
  assert.is(livenessOf(stranger), 'gone')
  assert.not(signalProcess(stranger, 'SIGKILL'))
  assert.is(livenessOf(ref), 'running')
  await endProcess(ref, 5_000)
})

processes('picked ports differ, also from those that are taken', async () => {
  const first = await pickPorts(5)
  const second = await pickPorts(5, first)
  assert.is(new Set([...first, ...second]).size, 10)
})
processes.run()
