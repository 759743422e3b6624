// deadline: 600s
// The chat command in bad company: usage that is none, gateways that are away or never answer, readers and writers of its pipes
// that go away, Ctrl-C, damaged profiles. Always the promised exit code, one JSON document with --json, and nothing lost.
import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, cpSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { text as readAll } from 'node:stream/consumers'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { eventually } from '../eventually.ts'
import { ChatNode } from './chat-node.ts'
import { idleRunMs, type Run, run } from './world.ts'

const cli = suite('chat in bad company')
const node = new ChatNode()
const program = join(import.meta.dirname, '../../bin/chat.js')
/** Takes connections and says nothing. */
let hole: Server
let holeUrl = ''

cli.before(async () => {
  await node.start()
  await node.register('alice', 'bob')
  hole = createServer((socket) => socket.on('error', () => {}))
  await new Promise<void>((resolve) => hole.listen(0, '127.0.0.1', resolve))
  const address = hole.address()
  holeUrl = `ws://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
})
cli.after(async () => {
  hole.close()
  await node.close()
})

interface Document {
  status?: string
  error?: { code: string; message: string; retryable: boolean; outcome: string }
}
/** With --json stdout is one document, whatever happens; stderr has the sentence. */
const documentOf = ({ stdout, stderr }: Run): Document => {
  assert.is(stdout.trim().split('\n').length, 1, stdout)
  const document = JSON.parse(stdout) as Document
  if (document.error) {
    assert.match(stderr, /^chat[a-z ]*: /m)
    assert.not.match(stderr, /\n {4}at /, 'no stack trace')
  }
  return document
}
const codeOf = (result: Run): [number, string | undefined] => [result.code, documentOf(result).error?.code]

cli('usage that is none', async () => {
  const cases: [args: string[], exit: number, code: string][] = [
    [['sned', 'bob', 'x'], 2, 'USAGE'],
    [['send', 'bob'], 2, 'USAGE'],
    [['send', 'bob', 'x', '--timeout', '5'], 2, 'USAGE'],
    [['send', 'bob', 'x', '--timeout', '-5s'], 2, 'USAGE'],
    [['send', 'bob', 'x', '--timeout', '5 s'], 2, 'USAGE'],
    [['send', 'bob', 'x', '--wait', 'eaten'], 2, 'USAGE'],
    [['send', 'bob', 'x', '--nonsense'], 2, 'USAGE'],
    [['send', 'B o b', 'x'], 2, 'AUTH_NAME_ILLEGAL'],
    [['send', '../bob', 'x'], 2, 'AUTH_NAME_ILLEGAL'],
    [['send', '#ops', 'x'], 4, 'GROUP_UNKNOWN'],
    [['send', 'bob', 'x', '--reply', 'nonsense'], 4, 'MESSAGE_UNKNOWN'],
    [['listen', '--count', '0'], 2, 'USAGE'],
    [['history', 'bob', '--limit', 'all'], 2, 'USAGE'],
    [['history', 'bob', '--before', 'nonsense'], 4, 'MESSAGE_UNKNOWN'],
    [['history', 'nobody'], 4, 'USER_UNKNOWN'],
    [['read', 'nobody'], 4, 'USER_UNKNOWN'],
    [['block', 'nobody'], 4, 'USER_UNKNOWN'],
    [['block', 'no body'], 2, 'AUTH_NAME_ILLEGAL'],
    [['status', '../../etc/passwd'], 4, 'MESSAGE_UNKNOWN'],
    [['revoke', 'nonsense'], 4, 'DEVICE_UNKNOWN'],
    [['link', '--approve', 'nonsense'], 4, 'LINK_UNKNOWN'],
    [['inbox', '--gateway', 'http://127.0.0.1'], 2, 'USAGE'],
    [['inbox', '--gateway', 'ws://192.0.2.1'], 2, 'NET_INSECURE'],
  ]
  for (let i = 0; i < cases.length; i += 4) {
    await Promise.all(
      cases.slice(i, i + 4).map(async ([args, exit, code]) => {
        assert.equal(codeOf(await node.chat('alice', [...args, '--json'])), [exit, code], args.join(' '))
      }),
    )
  }
  assert.equal(codeOf(await run('chat', ['--home', node.home, '--profile', '../bob', 'inbox', '--json'])), [2, 'USAGE'])
  assert.equal(codeOf(await node.chat('stranger', ['inbox', '--json'])), [4, 'PROFILE_MISSING'])
})

cli('a message to nobody is refused, and nothing of it waits', async () => {
  const lost = await node.chat('alice', ['send', 'nobody', 'hello?', '--json'])
  const { status, error } = documentOf(lost)
  assert.equal([lost.code, status, error?.code, error?.outcome], [4, 'refused', 'USER_UNKNOWN', 'refused'])
  assert.equal(await node.json('alice', ['send', '--flush']), { queued: 0 })
  assert.is((await node.json<Document>('alice', ['send', 'bob', 'still here'])).status, 'stored')
})

/** The profile of Alice as it would be if all her gateways were this one. */
const profileAt = (name: string, gateways: string[]): void => {
  const directory = join(node.home, name)
  mkdirSync(directory, { mode: 0o700 })
  for (const file of ['device.key', 'profile.json']) cpSync(join(node.home, 'alice', file), join(directory, file))
  const path = join(directory, 'profile.json')
  writeFileSync(path, JSON.stringify({ ...(JSON.parse(readFileSync(path, 'utf8')) as object), gateways }))
}

cli('gateways that are away or never answer: exit 3 in time, and the message stays', async () => {
  profileAt('away', ['ws://127.0.0.1:1'])
  profileAt('hole', [holeUrl])
  // Two commands one after the other, beside two others.
  const inTimeMs = 5_000 + 6 * (await idleRunMs())
  await Promise.all(
    ['away', 'hole'].map(async (profile) => {
      const started = performance.now()
      const sent = await node.chat(profile, ['send', 'bob', `from ${profile}`, '--timeout', '700ms', '--json'])
      const { status, error } = documentOf(sent)
      assert.equal([sent.code, status, error?.code, error?.outcome], [3, 'queued', 'TIMEOUT', 'unknown'], profile)
      assert.equal(codeOf(await node.chat(profile, ['send', '--flush', '--timeout', '300ms', '--json'])), [
        3,
        'TIMEOUT',
      ])
      assert.ok(performance.now() - started < inTimeMs)
    }),
  )
  const register = (url: string): Promise<Run> => node.chat('carol', ['register', 'carol', '--gateway', url, '--json'])
  const [refused, silent] = await Promise.all([register('ws://127.0.0.1:1'), register(holeUrl)])
  assert.equal(codeOf(refused), [3, 'NET_UNAVAILABLE'])
  assert.equal(codeOf(silent), [3, 'NET_UNAVAILABLE'])
  // Any one that answers is used; and the key made before is the one that is registered now.
  assert.is((await register(`ws://127.0.0.1:1,${node.gateway}`)).code, 0)
})

interface Started {
  child: ChildProcess
  stdout: Promise<string>
  code: Promise<number | null>
}
const start = (
  profile: string,
  args: string[],
  stdio: ('pipe' | 'ignore' | number)[] = ['ignore', 'pipe', 'pipe'],
): Started => {
  const child = spawn(process.execPath, [program, '--home', node.home, '--profile', profile, ...args], { stdio })
  const code = new Promise<number | null>((resolve) => child.once('exit', (status) => resolve(status)))
  return { child, code, stdout: child.stdout ? readAll(child.stdout) : Promise.resolve('') }
}

cli('Ctrl-C ends with 130, and what was sent is sent', async () => {
  const waiting = start('alice', ['send', 'bob', 'unread for long', '--wait', 'read'])
  await eventually(async () => {
    const shown = await node.json<{ text: string; status: string }[]>('bob', ['history', 'alice'])
    return shown.some(({ text }) => text === 'unread for long')
  })
  waiting.child.kill('SIGINT')
  assert.is(await waiting.code, 130)
  const listening = start('bob', ['listen', '--json'])
  const linking = start('tablet', ['link', '--gateway', node.gateway, '--json'])
  await Promise.all(
    [listening, linking].map(({ child }) => new Promise((resolve) => child.stdout?.once('data', resolve))),
  )
  for (const { child, code } of [listening, linking]) {
    child.kill('SIGINT')
    assert.is(await code, 130)
  }
})

cli('a reader that goes away ends the command quietly', async () => {
  for (let i = 0; i < 4; i++) await node.chat('alice', ['send', 'bob', '-'], `${i} ${'x'.repeat(60_000)}`)
  const reading = spawn(process.execPath, [program, '--home', node.home, '--profile', 'bob', 'history', 'alice'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const stderr = readAll(reading.stderr)
  reading.stdout.once('data', () => reading.stdout.destroy())
  assert.is(await new Promise((resolve) => reading.once('exit', resolve)), 0)
  assert.is(await stderr, '')
  const full = start('bob', ['inbox', '--json'], ['ignore', openSync('/dev/full', 'w'), 'pipe'])
  assert.is(await full.code, 1)
})

cli('what comes on stdin: nothing, closed, not UTF-8, without end', async () => {
  assert.is(await start('alice', ['send', 'bob', '-']).code, 2)
  const raw = (...bytes: number[]): Promise<Run> =>
    new Promise((resolve) => {
      const { child, code, stdout } = start('alice', ['send', 'bob', '-', '--json'], ['pipe', 'pipe', 'pipe'])
      child.stdin?.end(Buffer.from(bytes))
      const stderr = child.stderr ? readAll(child.stderr) : Promise.resolve('')
      void Promise.all([code, stdout, stderr]).then(([status, out, err]) =>
        resolve({ code: status ?? -1, stdout: out, stderr: err }),
      )
    })
  assert.equal(codeOf(await raw()), [2, 'MESSAGE_EMPTY'])
  assert.equal(codeOf(await raw(0x61, 0xff, 0x62)), [2, 'USAGE'])
  assert.equal(codeOf(await raw(0xed, 0xa0, 0x80)), [2, 'USAGE'])
  assert.is(documentOf(await raw(0xef, 0xbb, 0xbf, 0x61, 0x0d, 0x0a)).status, 'stored')
  const endless = start('alice', ['send', 'bob', '-', '--json'], ['pipe', 'pipe', 'ignore'])
  endless.child.stdin?.on('error', () => {})
  const pump = setInterval(() => endless.child.stdin?.write('y\n'.repeat(10_000)), 1)
  assert.is(await endless.code, 2)
  clearInterval(pump)
  const texts = (await node.json<{ text: string }[]>('bob', ['history', 'alice', '--limit', '1'])).map(
    ({ text }) => text,
  )
  assert.equal(texts, ['\ufeffa\r'])
})

cli('profiles that are damaged, open to others, or cannot be', async () => {
  const spoil = (name: string, file: string, act: (path: string) => void): Promise<Run> => {
    profileAt(name, [node.gateway])
    act(join(node.home, name, file))
    return node.chat(name, ['inbox', '--json'])
  }
  assert.equal(codeOf(await spoil('d-1', 'profile.json', (path) => writeFileSync(path, '{'))), [1, 'DATA_DIRECTORY'])
  assert.equal(codeOf(await spoil('d-2', 'profile.json', (path) => writeFileSync(path, 'null'))), [1, 'DATA_DIRECTORY'])
  assert.equal(codeOf(await spoil('d-3', 'device.key', (path) => writeFileSync(path, 'x'))), [1, 'DATA_DIRECTORY'])
  assert.equal(codeOf(await spoil('d-4', 'device.key', (path) => chmodSync(path, 0o640))), [5, 'PROFILE_PERMISSIONS'])
  assert.equal(codeOf(await spoil('d-5', '.', (path) => chmodSync(path, 0o755))), [5, 'PROFILE_PERMISSIONS'])
  const file = join(node.directory, 'file')
  writeFileSync(file, '')
  const register = ['register', 'eve', '--gateway', node.gateway, '--json']
  assert.equal(codeOf(await run('chat', ['--home', file, '--profile', 'eve', ...register])), [1, 'DATA_DIRECTORY'])
  assert.equal(codeOf(await run('chat', ['--home', '/proc/chat', '--profile', 'eve', ...register])), [
    1,
    'DATA_DIRECTORY',
  ])
})

cli.run()
