// deadline: 600s
// `npm start` as a newcomer meets it: without a terminal a conversation that must be read, in a terminal a client with an echo bot.
// Either way nothing is left running.
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { spawn } from '@lydell/node-pty'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { livenessOf } from '../../src/cli/cluster/process-identity.ts'
import { requireState } from '../../src/cli/cluster/state.ts'
import { eventually } from '../eventually.ts'

const START = new URL('../../dist/cli/start.js', import.meta.url).pathname
const RUN_MS = 180_000

const starts = suite<{ dir: string }>('npm start')
starts.before.each((context) => {
  context.dir = mkdtempSync(join(tmpdir(), 'chatd-start-'))
})
starts.after.each(({ dir }) => rmSync(dir, { recursive: true, force: true }))

const play = (dir: string, ...flags: string[]): Promise<{ code: number; stdout: string; stderr: string }> =>
  new Promise((resolve) => {
    const options = { timeout: RUN_MS, env: { ...process.env, NODE_ENV: 'production' } }
    execFile(process.execPath, [START, '--dir', dir, ...flags], options, (error, stdout, stderr) => {
      resolve({ code: error ? (typeof error.code === 'number' ? error.code : 255) : 0, stdout, stderr })
    }).stdin?.end()
  })

const nothingRuns = (dir: string): boolean =>
  requireState(dir).nodes.every((node) => livenessOf(node.process) === 'gone')

starts('without a terminal: every message is read, twice over the same data', async ({ dir }) => {
  for (const messages of [7, 7]) {
    const { code, stdout, stderr } = await play(dir)
    assert.is(code, 0, stdout + stderr)
    assert.match(stdout, `every message was read: ${messages} of ${messages}`)
    for (const part of ['bob goes away', 'bob fetched', 'alice to #']) assert.match(stdout, part)
    assert.ok(nothingRuns(dir))
    // As a machine leaves it whose power went while the file was written: it names nobody.
    writeFileSync(join(dir, 'owner.json'), '')
  }
})

starts('in a terminal: the bot answers, and the cluster ends with the client', async ({ dir }) => {
  const options = { cols: 100, rows: 30, env: { ...process.env, TERM: 'xterm-256color' } }
  const terminal = spawn(process.execPath, [START, '--dir', dir, '--name', 'nia'], options)
  let screen = ''
  let exitCode: number | undefined
  terminal.onData((text) => {
    screen += text
  })
  terminal.onExit((exit) => {
    exitCode = exit.exitCode
  })
  try {
    await eventually(() => screen.includes('register bob --gateway ws://127.0.0.1:'), {
      what: 'the line for a second person',
    })
    await eventually(() => screen.includes('I say back'), { what: 'the greeting of the bot' })
    const before = screen.length
    terminal.write('are you an echo?\r')
    await eventually(() => screen.slice(before).includes('read'), { what: 'the state read' })
    await eventually(() => screen.slice(before).split('are you an echo?').length > 2, { what: 'the echo' })
    terminal.write('/quit\r')
    await eventually(() => exitCode !== undefined, { what: 'the end' })
    assert.is(exitCode, 0)
    assert.ok(nothingRuns(dir))
  } finally {
    if (exitCode === undefined) terminal.kill('SIGTERM')
    await eventually(() => exitCode !== undefined, { timeoutMs: 20_000 }).catch(() => terminal.kill('SIGKILL'))
  }
})

starts.run()
