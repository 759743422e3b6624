// Addresses of nodes: what is parsed, what is refused, which ports are picked and announced.
import { createServer } from 'node:net'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  announced,
  formatHostPort,
  hostOf,
  nextFreePort,
  parseHostPort,
  pickListenPort,
  pickPort,
} from '../../src/node/addresses.ts'
import { hasCode } from '../../src/protocol/errors.ts'

const isUsage = (error: unknown): boolean => hasCode(error, 'USAGE')

test('HOST:PORT is parsed and printed back', () => {
  for (const text of ['127.0.0.1:7400', 'localhost:0', '[::1]:65535'])
    assert.is(formatHostPort(parseHostPort(text)), text)
  assert.equal(parseHostPort(':80'), { host: '127.0.0.1', port: 80 })
  for (const text of ['', '7400', 'host', 'host:', 'host:65536', 'host:-1', '::1:80', 'ws://host:80']) {
    assert.throws(() => parseHostPort(text), isUsage, text)
  }
})

test('the next free port passes over one that is taken', async () => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const taken = typeof address === 'object' && address ? address.port : 0
  const { port } = await nextFreePort({ host: '127.0.0.1', port: taken })
  assert.ok(port !== taken && port > 0)
  await new Promise((resolve) => server.close(resolve))
})

test('port 0 of a multiaddress becomes a real one; anything but TCP on an address is refused', async () => {
  const picked = await pickListenPort('/ip4/127.0.0.1/tcp/0')
  assert.match(picked, /^\/ip4\/127\.0\.0\.1\/tcp\/[1-9]\d*$/)
  assert.is(hostOf(picked), '127.0.0.1')
  for (const text of ['127.0.0.1:4001', '/dns4/example.org/tcp/1', '/ip4/127.0.0.1/udp/1', '/ip4/127.0.0.1/tcp/1/ws']) {
    let error: unknown
    await pickListenPort(text).catch((thrown: unknown) => (error = thrown))
    assert.ok(isUsage(error), text)
  }
})

test('what listens everywhere announces real addresses', () => {
  assert.equal(announced('/ip4/10.1.2.3/tcp/9'), ['/ip4/10.1.2.3/tcp/9'])
  const all = announced('/ip4/0.0.0.0/tcp/9')
  assert.ok(all.length > 0)
  for (const address of all) assert.not.match(address, /0\.0\.0\.0/)
})

test('no port is picked twice, though the system gives one out again once it is let go', async () => {
  const ports = new Set<number>()
  for (let i = 0; i < 1_000; i++) ports.add((await pickPort({ host: '127.0.0.1', port: 0 })).port)
  assert.is(ports.size, 1_000)
})

test.run()
