// deadline: 600s
// One chatd process: how it starts, what it refuses and says, how it ends. Real processes, real files, real sockets.
import { chmodSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { ClusterStatus } from '../../src/node/node-status.ts'
import { roles } from '../../src/protocol/cluster-map.ts'
import { chatd, chatdJson, cleanUp, type Finished, newDirectory, startNode } from '../node-process.ts'

test.after.each(cleanUp)

/** A refusal: exit code, error code on stdout, and a sentence of what to try on stderr. */
const refused = (result: Finished, { exit, code, says }: { exit: number; code: string; says: RegExp }): void => {
  assert.is(result.code, exit, result.stderr)
  const { error } = JSON.parse(result.stdout.trim().split('\n').at(-1) ?? '') as { error: { code: string } } // --json
  assert.is(error.code, code)
  assert.match(result.stderr, says)
  assert.not.match(result.stderr, /\n {4}at /, 'no stack trace')
}

test('--role all in an empty directory is a cluster of one, keeps its addresses, and drains on SIGTERM', async () => {
  const data = join(newDirectory(), 'node')
  const first = await startNode(data, '--role', 'all', '--ws', '127.0.0.1:0')
  assert.match(first.ready.ws ?? '', /^ws:\/\/127\.0\.0\.1:\d+$/)
  assert.match(first.ready.admin, /^http:\/\/127\.0\.0\.1:\d+$/)
  assert.is(statSync(data).mode & 0o777, 0o700)
  for (const name of readdirSync(data)) {
    const entry = statSync(join(data, name))
    if (entry.isFile()) assert.is(entry.mode & 0o777, 0o600, name)
  }
  const status = await chatdJson<ClusterStatus>('status', '--data', data)
  assert.equal(
    status.nodes.map(({ name, state }) => [name, state]),
    [['main', 'up']],
  )
  assert.equal(status.current.homes, [{ name: 'main', readable: true, writable: true }])

  const second = await chatd('start', '--data', data, '--role', 'all', '--json')
  refused(second, { exit: 1, code: 'DATA_DIRECTORY', says: /another process has it open/ })

  assert.is((await first.stop()).code, 0)
  refused(await chatd('status', '--data', data, '--json'), { exit: 3, code: 'NET_UNAVAILABLE', says: /chatd start/ })
  const again = await startNode(data) // roles are remembered
  assert.equal(again.ready, first.ready)
  again.signal('SIGKILL')
  await again.ended
  const after = await startNode(data, '--ws', '127.0.0.1:0')
  assert.equal(after.ready, first.ready)
})

test('every help begins with examples', async () => {
  const commandsIn = (help: string): string[] =>
    [...(help.split('\nCommands:\n')[1] ?? '').matchAll(/^ {2}([a-z]+)\b/gm)].map(([, name = '']) => name)
  const check = async (path: string[]): Promise<number> => {
    const { code, stdout } = await chatd(...path, '--help')
    assert.is(code, 0)
    assert.ok(stdout.startsWith('Examples:'), `chatd ${path.join(' ')}`)
    let checked = 1
    for (const name of commandsIn(stdout)) if (name !== 'help') checked += await check([...path, name])
    return checked
  }
  assert.ok((await check([])) > 25)
})

test('what cannot be used is refused with what to try', async () => {
  const root = newDirectory()
  const start = (data: string, ...args: string[]): Promise<Finished> =>
    chatd('start', '--json', '--role', 'all', '--data', data, ...args)

  const foreign = join(root, 'foreign')
  mkdirSync(foreign)
  writeFileSync(join(foreign, 'thesis.txt'), 'mine')
  refused(await start(foreign), { exit: 1, code: 'DATA_DIRECTORY', says: /thesis\.txt.*--data/ })
  assert.equal(readdirSync(foreign), ['thesis.txt'])

  const file = join(root, 'file')
  writeFileSync(file, '')
  refused(await start(file), { exit: 1, code: 'DATA_DIRECTORY', says: /--data/ })

  const data = join(root, 'node')
  assert.is((await chatd('init', '--data', data)).code, 0)
  refused(await chatd('init', '--data', data, '--json'), { exit: 1, code: 'CLUSTER_STATE', says: /already/ })
  refused(await chatd('cluster', 'up', '--dir', data, '--json'), {
    exit: 1,
    code: 'DATA_DIRECTORY',
    says: /one node.*--dir/,
  })
  const named = join(root, 'named')
  await chatdJson('init', '--data', named, '--name', 'router-1')
  refused(await start(named, '--name', 'router-2'), {
    exit: 1,
    code: 'CLUSTER_STATE',
    says: /router-1 for good.*--name/,
  })

  for (const [path, open, closed] of [
    ['authority.key', 0o644, 0o600],
    ['', 0o755, 0o700],
  ] as const) {
    chmodSync(join(data, path), open)
    refused(await start(data), { exit: 5, code: 'PROFILE_PERMISSIONS', says: /chmod [67]00/ })
    chmodSync(join(data, path), closed)
  }

  const taken = createServer()
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
  const address = taken.address()
  const port = typeof address === 'object' ? address?.port : 0
  for (const flags of [
    ['--ws', `127.0.0.1:${port}`],
    ['--listen', `/ip4/127.0.0.1/tcp/${port}`],
  ]) {
    refused(await start(data, ...flags), { exit: 1, code: 'PORT_IN_USE', says: new RegExp(String(port)) })
  }
  await new Promise((resolve) => taken.close(resolve))
  refused(await start(data, '--listen', '/ip4/127.0.0.1/tcp/0', '--ws', '0.0.0.0:0'), {
    exit: 2,
    code: 'NET_INSECURE',
    says: /--insecure-ws/,
  })
})

test('wrong usage exits 2 and offers what was meant', async () => {
  const wrong = await chatd('strat')
  assert.is(wrong.code, 2)
  assert.match(wrong.stderr, /Did you mean start\?/)
  refused(await chatd('start', '--role', 'gatway', '--json'), { exit: 2, code: 'USAGE', says: /gateway/ })
  refused(await chatd('start', '--role', 'store', '--data', join(newDirectory(), 'x'), '--json'), {
    exit: 1,
    code: 'CLUSTER_STATE',
    says: /chatd init/,
  })
  const help = await chatd('start', '--help')
  assert.is(help.code, 0)
  assert.match(help.stdout, /^Examples:/)
  for (const path of [['start'], ['cluster', 'add']]) {
    const { stdout } = await chatd(...path, '--help')
    for (const role of roles) assert.match(stdout, new RegExp(`\\b${role}\\b`), path.join(' '))
  }
})

test('options come from flags, then the environment, then the file', async () => {
  const root = newDirectory()
  const config = join(root, 'chatd.toml')
  writeFileSync(config, 'role = "all"\nname = "from-file"\nws = "127.0.0.1:0"\nopen-registration = true\n')
  const node = await startNode(join(root, 'a'), '--config', config, '--name', 'from-flag')
  assert.is(node.ready.node, 'from-flag')
  assert.ok(node.ready.ws)
  await node.stop()
  writeFileSync(config, 'rolle = "all"\n')
  const wrong = await chatd('start', '--json', '--data', join(root, 'b'), '--config', config)
  refused(wrong, { exit: 2, code: 'USAGE', says: /rolle.*role/ })
  for (const args of [
    ['start', '--config', join(root, 'none.toml')],
    ['authority', 'import', join(root, 'none.json')],
  ])
    refused(await chatd(...args, '--json', '--data', join(root, 'b')), {
      exit: 4,
      code: 'FILE_UNKNOWN',
      says: /none\./,
    })
})

test.run()
