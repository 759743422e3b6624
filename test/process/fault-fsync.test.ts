// deadline: 600s
// The order of system calls under load, as the kernel saw it: no acknowledgement leaves before an fsync that began after
// the message's bytes were handed to the kernel has ended. Skipped with a notice where strace cannot run.
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ChatdTarget } from '../../bench/chatd-target.ts'
import { eventually } from '../eventually.ts'

const CHATD = new URL('../../bin/chatd.js', import.meta.url).pathname
const MESSAGES = 300
/** Where the ids of prepared messages begin, see bench/chatd-target.ts. */
const FIRST_ID = 1_000_000
const CALLS = 'fdatasync,fsync,write,writev,pwrite64,sendto,sendmsg'

const marker = (index: number): string => `traced-${index}.`
const fsync = suite('fsync before acknowledgement')

interface Traced {
  url: string
  tracePath: string
  dir: string
  stop: () => Promise<void>
}

/** A cluster of one under strace. */
const startTraced = async (): Promise<Traced> => {
  const dir = mkdtempSync(join(tmpdir(), 'chatd-trace-'))
  const tracePath = join(dir, 'trace')
  const strace = ['-f', '-s', '200000', '-e', `trace=${CALLS}`, '-e', 'signal=none', '-o', tracePath, process.execPath]
  const node = [
    CHATD,
    'start',
    '--role',
    'all',
    '--data',
    join(dir, 'node'),
    '--ws',
    '127.0.0.1:0',
    '--open-registration',
    '--json',
  ]
  const child = spawn('strace', [...strace, ...node], { stdio: ['ignore', 'pipe', 'ignore'] })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  const line = await eventually<string | undefined>(() => output.split('\n').find((each) => each.includes('"ready"')))
  const ready = JSON.parse(line ?? '') as { ws: string } // the ready line of chatd start
  // strace itself ignores signals while it writes to a file; it ends with the node.
  const { pid } = JSON.parse(readFileSync(join(dir, 'node', 'admin.json'), 'utf8')) as { pid: number } // by the node
  const stop = async (): Promise<void> => {
    if (child.exitCode === null) process.kill(pid, 'SIGTERM')
    await eventually(() => child.exitCode !== null, { what: 'the node has ended' })
  }
  return { url: ready.ws, tracePath, dir, stop }
}

/** Sends them all at once, so that batches form; resolves when each is acknowledged. */
const sendUnderLoad = async (url: string): Promise<void> => {
  const target = new ChatdTarget(url)
  await target.register(['alice', 'bob'])
  const session = await target.login('alice')
  let stored = 0
  session.onStored = () => {
    stored += 1
  }
  for (let index = 0; index < MESSAGES; index++) session.send(session.prepare('bob', index, marker(index)))
  await eventually(() => stored === MESSAGES, { what: `${MESSAGES} messages are stored` })
  session.close()
}

interface Trace {
  /** Line at which the bytes of a message had been handed to the kernel. */
  written: Map<number, number>
  acknowledged: Map<number, number>
  /** Of each fsync: the line at which it began, and the one at which it had ended. */
  syncs: { from: number; to: number }[]
}

const indexesIn = (text: string, pattern: RegExp, base: number): number[] =>
  [...text.matchAll(pattern)].map((match) => Number(match[1]) - base)

const readTrace = (path: string): Trace => {
  const trace: Trace = { written: new Map(), acknowledged: new Map(), syncs: [] }
  const began = new Map<string, number>()
  for (const [at, line] of readFileSync(path, 'latin1').split('\n').entries()) {
    const thread = line.split(' ', 1)[0] ?? ''
    if (/ f(data)?sync\(/.test(line)) began.set(thread, at)
    if (/f(data)?sync(\(\d+\)| resumed>\)).*= 0/.test(line)) trace.syncs.push({ from: began.get(thread) ?? at, to: at })
    for (const index of indexesIn(line, /traced-(\d+)\./g, 0))
      if (!trace.written.has(index)) trace.written.set(index, at)
    for (const index of indexesIn(line, /record\.stored\\",\\"id\\":(\d+)/g, FIRST_ID))
      trace.acknowledged.set(index, at)
  }
  return trace
}

const messagesIn = ({ written, acknowledged }: Trace): number[] =>
  Array.from({ length: MESSAGES }, (_, index) => index).filter((index) => acknowledged.has(index) && written.has(index))

/** Acknowledged with no fsync between the write and the answer. */
const earlyIn = (trace: Trace): number[] =>
  messagesIn(trace).filter((index) => {
    const [from, to] = [trace.written.get(index) ?? Infinity, trace.acknowledged.get(index) ?? -Infinity]
    return !trace.syncs.some((sync) => sync.from > from && sync.to < to)
  })

fsync('the bytes were on disk before any acknowledgement left', async () => {
  if (spawnSync('strace', ['-f', '-o', '/dev/null', process.execPath, '--version']).status !== 0) {
    console.log('notice: strace cannot run here, so the order of system calls was not looked at')
    return
  }
  const traced = await startTraced()
  try {
    await sendUnderLoad(traced.url)
    await traced.stop()
    const trace = readTrace(traced.tracePath)
    const seen = messagesIn(trace)
    // The log is written in blocks of 32 KiB: a few markers are cut in two and not found.
    assert.ok(seen.length > MESSAGES * 0.9, `only ${seen.length} of ${MESSAGES} messages were found in the trace`)
    assert.equal(earlyIn(trace), [], 'acknowledged before an fsync')
    assert.ok(trace.syncs.length < MESSAGES / 2, `${trace.syncs.length} fsyncs for ${MESSAGES}: they were not grouped`)
    const withoutSyncs = { ...trace, syncs: [] }
    assert.equal(earlyIn(withoutSyncs), seen, 'a trace without fsyncs would not have passed')
  } finally {
    await traced.stop()
    rmSync(traced.dir, { recursive: true, force: true })
  }
})

fsync.run()
