// deadline: 600s
// What operators get wrong: tickets, directories, files, addresses; and rubbish at the ports that only nodes and operators use.
// Every refusal is one sentence with what to try, an exit code, and leaves the cluster as it was. node-start and node-join try more.
import { chmodSync, cpSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { chatd, chatdJson, cleanUp, type Finished, newDirectory, type NodeProcess, startNode } from '../node-process.ts'

const operators = suite('operators')
const root = newDirectory()
let node: NodeProcess

operators.before(async () => {
  node = await startNode(join(root, 'one'), '--role', 'all', '--ws', '127.0.0.1:0')
})
operators.after(async () => {
  assert.not.match(node.output.stderr, /unexpectedly|the node fails/)
  assert.is((await node.stop()).code, 0)
  await cleanUp()
})

interface Refusal {
  exit: number
  code: string
  says: RegExp
}
const refused = (what: string, result: Finished, { exit, code, says }: Refusal): void => {
  assert.is(result.code, exit, `${what}: ${result.stderr}`)
  const { error } = JSON.parse(result.stdout.trim().split('\n').at(-1) ?? '') as {
    error: { code: string; message: string }
  } // --json
  assert.is(error.code, code, what)
  assert.match(result.stderr, says, what)
  assert.not.match(result.stderr, /\n {4}at /, `${what}: no stack trace`)
  assert.not.ok(error.message.includes('\n'), `${what}: one line`)
}
let directories = 0
const start = (...args: string[]): Promise<Finished> => {
  directories += 1
  const data = args.includes('--data') ? [] : ['--data', join(root, `fresh-${directories}`)]
  return chatd('start', '--json', '--ws', '127.0.0.1:0', '--admin', '127.0.0.1:0', ...data, ...args)
}
/** A few at a time: each is a whole process. */
const inTurn = async (cases: [what: string, run: () => Promise<Finished>, refusal: Refusal][]): Promise<void> => {
  for (let i = 0; i < cases.length; i += 3) {
    await Promise.all(cases.slice(i, i + 3).map(async ([what, run, refusal]) => refused(what, await run(), refusal)))
  }
}
const ticketFor = async (role: string, ...flags: string[]): Promise<string> =>
  (await chatdJson<{ ticket: string }>('ticket', '--data', node.data, '--role', role, ...flags)).ticket
const PREFIX = 'chatd-ticket-1.'
const changed = (ticket: string, change: Record<string, unknown>): string => {
  const fields = JSON.parse(Buffer.from(ticket.slice(PREFIX.length), 'base64url').toString('utf8')) as object // a ticket
  return PREFIX + Buffer.from(JSON.stringify({ ...fields, ...change })).toString('base64url')
}
const members = async (): Promise<number> =>
  (await chatdJson<{ nodes: unknown[] }>('status', '--data', node.data)).nodes.length

operators('tickets that are wrong, altered, expired, or for something else let nobody in', async () => {
  const ticket = await ticketFor('store')
  const expired = await ticketFor('store', '--ttl', '1ms')
  const other = join(root, 'other')
  await chatdJson('init', '--data', other)
  const tries = (role: string, text: string) => (): Promise<Finished> => start('--role', role, '--join', text)
  const secret = Buffer.alloc(16).toString('base64')
  await inTurn([
    ['rubbish', tries('store', 'rubbish'), { exit: 5, code: 'AUTH_TICKET', says: /copy the whole line/ }],
    ['cut', tries('store', ticket.slice(0, -9)), { exit: 5, code: 'AUTH_TICKET', says: /copy the whole line/ }],
    ['expired', tries('store', expired), { exit: 5, code: 'AUTH_TICKET', says: /expired.*chatd ticket/ }],
    [
      'unknown',
      tries('store', changed(ticket, { id: '0'.repeat(16) })),
      { exit: 5, code: 'AUTH_TICKET', says: /chatd ticket/ },
    ],
    [
      'another secret',
      tries('store', changed(ticket, { secret })),
      { exit: 5, code: 'AUTH_CLUSTER', says: /not the authority/ },
    ],
    [
      'nobody there',
      tries('store', changed(ticket, { url: 'http://127.0.0.1:1' })),
      { exit: 3, code: 'AUTH_UNAVAILABLE', says: /check/ },
    ],
    [
      'other roles',
      tries('gateway', ticket),
      { exit: 1, code: 'CLUSTER_STATE', says: /stays unused.*chatd ticket --role gateway/ },
    ],
    [
      'another cluster’s directory',
      () => start('--role', 'store', '--join', ticket, '--data', other),
      { exit: 5, code: 'AUTH_CLUSTER', says: /--data/ },
    ],
  ])
  assert.is(await members(), 1, 'nobody was let in')
})

operators('addresses, files and names that cannot be', async () => {
  const junk = join(root, 'junk')
  writeFileSync(junk, 'junk')
  const all =
    (...args: string[]) =>
    (): Promise<Finished> =>
      start('--role', 'all', ...args)
  await inTurn([
    ['no address', all('--ws', 'nonsense'), { exit: 2, code: 'USAGE', says: /HOST:PORT/ }],
    ['a port beyond all', all('--ws', '127.0.0.1:99999'), { exit: 2, code: 'USAGE', says: /HOST:PORT/ }],
    ['operators from everywhere', all('--admin', '0.0.0.0:0'), { exit: 2, code: 'NET_INSECURE', says: /127\.0\.0\.1/ }],
    ['no multiaddr', all('--listen', 'nonsense'), { exit: 2, code: 'USAGE', says: /\/ip4\// }],
    ['no name', all('--name', 'A B'), { exit: 2, code: 'AUTH_NAME_ILLEGAL', says: /a-z/ }],
    ['half of TLS', all('--tls-cert', junk), { exit: 2, code: 'USAGE', says: /--tls-key/ }],
    ['no TLS', all('--tls-cert', junk, '--tls-key', junk), { exit: 2, code: 'USAGE', says: /PEM/ }],
    [
      'TLS of no file',
      all('--tls-cert', `${junk}.no`, '--tls-key', junk),
      { exit: 4, code: 'FILE_UNKNOWN', says: /junk/ },
    ],
    ['no cluster', () => start('--role', 'store'), { exit: 1, code: 'CLUSTER_STATE', says: /chatd init/ }],
    ['below a file', all('--data', join(junk, 'x')), { exit: 1, code: 'DATA_DIRECTORY', says: /--data/ }],
    ['where nothing can be', all('--data', '/proc/chatd/x'), { exit: 1, code: 'DATA_DIRECTORY', says: /--data/ }],
  ])
})

operators('commands of operators: nonsense is refused, and who is not there is said', async () => {
  const data = ['--data', node.data]
  const command =
    (...args: string[]) =>
    (): Promise<Finished> =>
      chatd(...args, '--json')
  await inTurn([
    ['no role', command('ticket', ...data, '--role', 'storr'), { exit: 2, code: 'USAGE', says: /store/ }],
    [
      'no time',
      command('ticket', ...data, '--role', 'store', '--ttl', '0s'),
      { exit: 2, code: 'USAGE', says: /3650d/ },
    ],
    [
      'after all times',
      command('ticket', ...data, '--role', 'store', '--ttl', '9999999999h'),
      { exit: 2, code: 'USAGE', says: /3650d/ },
    ],
    ['no uses', command('invite', ...data, '--uses', '0'), { exit: 2, code: 'USAGE', says: /above 0/ }],
    [
      'no node',
      command('status', '--data', join(root, 'nowhere')),
      { exit: 3, code: 'NET_UNAVAILABLE', says: /chatd start/ },
    ],
    [
      'nobody at that address',
      command('status', ...data, '--admin', 'http://127.0.0.1:1'),
      { exit: 3, code: 'NET_UNAVAILABLE', says: /chatd start/ },
    ],
  ])
})

const post = async (url: string, body: string, token?: string): Promise<[number, string]> => {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const response = await fetch(url, { method: 'POST', body, headers })
  const { error } = (await response.json()) as { error?: { code: string } } // what the endpoints answer
  return [response.status, error?.code ?? '']
}

operators('the doors of operators and of joining nodes take no rubbish', async () => {
  const { admin } = node.ready
  for (const path of ['/', '/status', '/ticket', '/inspect', '/metrics', '/nowhere', '/__proto__', '/../..']) {
    assert.equal(await post(`${admin}${path}`, '{}'), [401, 'AUTH_REQUIRED'], path)
    assert.equal(await post(`${admin}${path}`, '{}', 'x'.repeat(64)), [401, 'AUTH_REQUIRED'], path)
  }
  const door = new URL(await ticketUrl())
  for (const path of ['/join/hello', '/join/prove']) {
    for (const body of ['', '{', '[]', 'null', '{"ticket":5}', `{"ticket":"${'x'.repeat(10_000)}"}`]) {
      const [status, code] = await post(new URL(path, door).href, body)
      assert.is(status, 400, `${path} ${body.slice(0, 20)}`)
      assert.ok(code === 'RPC_INVALID' || code === 'USAGE', code)
    }
    assert.equal(await post(new URL(path, door).href, 'x'.repeat(2 * 1024 * 1024)).catch(() => [413]), [
      413,
      'FRAME_TOO_LARGE',
    ])
  }
  assert.equal(await post(new URL('/join/nowhere', door).href, '{}'), [404, 'USAGE'])
})
const ticketUrl = async (): Promise<string> => {
  const ticket = await ticketFor('store')
  return (JSON.parse(Buffer.from(ticket.slice(PREFIX.length), 'base64url').toString('utf8')) as { url: string }).url // a ticket
}

operators('rubbish at the port of peers harms nobody', async () => {
  const [, , host, , port] = (node.ready.listen[0] ?? '').split('/')
  const speak = (bytes: Buffer): Promise<void> =>
    new Promise((resolve) => {
      const socket = connect(Number(port), host, () => socket.end(bytes))
      socket.on('error', () => {})
      socket.on('close', () => resolve())
      socket.resume()
    })
  const multistream = Buffer.from('\u0013/multistream/1.0.0\n', 'latin1')
  await Promise.all([
    ...Array.from({ length: 20 }, (_, i) => speak(Buffer.alloc(10_000, i * 13))),
    speak(Buffer.from('GET / HTTP/1.1\r\n\r\n')),
    speak(multistream),
    speak(Buffer.concat([multistream, Buffer.from('\u0007/noise\n', 'latin1'), Buffer.alloc(70_000, 0xff)])),
  ])
  assert.is(await members(), 1)
})

operators('damaged files of a node are named', async () => {
  await node.stop()
  const copy = (name: string): string => {
    const data = join(root, `damaged-${name}`)
    cpSync(node.data, data, { recursive: true })
    chmodSync(data, 0o700)
    return data
  }
  const spoilt = (name: string) => (): Promise<Finished> => {
    const data = copy(name)
    writeFileSync(join(data, name), 'junk')
    return start('--data', data)
  }
  const refusal = (name: string): Refusal => ({
    exit: 1,
    code: 'DATA_DIRECTORY',
    says: new RegExp(`${name}.*(copy|directory)`),
  })
  await inTurn([
    ['settings', spoilt('node.json'), refusal('node.json')],
    ['key', spoilt('node.key'), refusal('node.key')],
    ['map', spoilt('cluster-map'), refusal('cluster map')],
    ['authority', spoilt('authority.key'), refusal('authority.key')],
    [
      'lost key',
      () => {
        const data = copy('nothing')
        rmSync(join(data, 'node.key'))
        return start('--data', data)
      },
      refusal('node.key'),
    ],
  ])
})

operators.run()
