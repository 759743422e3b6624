// The JSON server of operators and joining nodes: routes, token, bounds, errors.
import { request } from 'node:http'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type HttpOptions, startHttp, TextReply } from '../../src/node/net/http-endpoints.ts'
import { ChatError, hasCode } from '../../src/protocol/errors.ts'
import { measureLateness } from '../lateness.ts'

interface World {
  url: string
  start: (options?: Partial<HttpOptions>) => Promise<string>
  stops: (() => Promise<void>)[]
}
const routes: HttpOptions['routes'] = {
  '/echo': async (body, { method, query }) => ({ body, method, q: query.get('q') }),
  '/nothing': async () => undefined,
  '/metrics': async () => new TextReply('a 1\n'),
  '/denied': async () => {
    throw new ChatError('AUTH_TICKET', { details: { why: 'expired' } })
  },
  '/bug': async () => {
    throw new TypeError('x is undefined')
  },
}

const test = suite<World>('http endpoints')
test.before.each(async (world) => {
  world.stops = []
  world.start = async (options = {}) => {
    const door = await startHttp({ host: '127.0.0.1', port: 0, routes, ...options })
    world.stops.push(() => door.stop())
    return door.url
  }
  world.url = await world.start()
})
test.after.each(async ({ stops }) => {
  for (const stop of stops) await stop()
})

const post = (url: string, body: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(url, { method: 'POST', body, headers })

test('a route gets the parsed body and the query, and its result is JSON', async ({ url }) => {
  const response = await post(`${url}/echo?q=1`, '{"a":[1]}')
  assert.equal(await response.json(), { body: { a: [1] }, method: 'POST', q: '1' })
  assert.equal(await (await fetch(`${url}/echo`)).json(), { method: 'GET', q: null })
  assert.is(await (await fetch(`${url}/nothing`)).text(), 'null')
})

test('text is sent as it is', async ({ url }) => {
  const response = await fetch(`${url}/metrics`)
  assert.is(await response.text(), 'a 1\n')
  assert.match(response.headers.get('content-type') ?? '', /^text\/plain/)
})

const FAILURES: [string, (url: string) => Promise<Response>, number, string][] = [
  ['an unknown path', (url) => fetch(`${url}/none`), 404, 'USAGE'],
  ['a path of every object', (url) => fetch(`${url}/constructor`), 404, 'USAGE'],
  ['another method', (url) => fetch(`${url}/echo`, { method: 'DELETE' }), 405, 'USAGE'],
  ['no JSON', (url) => post(`${url}/echo`, '{'), 400, 'USAGE'],
  ['a refusal', (url) => post(`${url}/denied`, '{}'), 403, 'AUTH_TICKET'],
  ['a bug', (url) => post(`${url}/bug`, '{}'), 500, 'INTERNAL'],
]
for (const [name, ask, status, code] of FAILURES) {
  test(`${name} is ${status} ${code}`, async ({ url }) => {
    const response = await ask(url)
    assert.is(response.status, status)
    const { error } = (await response.json()) as { error: Record<string, unknown> } // every error is one
    assert.is(error['code'], code)
    assert.type(error['message'], 'string')
    assert.type(error['retryable'], 'boolean')
  })
}

test('a body above 1 MiB is refused, one just below is taken', async ({ url }) => {
  const taken = await post(`${url}/echo`, JSON.stringify('x'.repeat(1024 * 1024 - 10)))
  assert.is(taken.status, 200)
  await taken.arrayBuffer()
  const status = await new Promise((resolve) => {
    const upload = request(`${url}/echo`, { method: 'POST' }, (response) => {
      resolve(response.statusCode)
      response.resume()
    })
    upload.on('error', () => resolve(413)) // the server hung up on the rest
    upload.end(Buffer.alloc(3 * 1024 * 1024, 0x20))
  })
  assert.is(status, 413)
})

test('with a token nothing is answered without it, and nothing tells how wrong it was', async ({ start }) => {
  const url = await start({ token: 'secret' })
  for (const authorization of ['', 'Bearer ', 'Bearer secre', 'Bearer secrets', 'secret', 'Basic secret']) {
    const response = await post(`${url}/echo`, '{}', { authorization })
    assert.is(response.status, 401, authorization)
    assert.is(((await response.json()) as { error: { code: string } }).error.code, 'AUTH_REQUIRED') // every error is one
  }
  assert.is((await fetch(`${url}/none`)).status, 401)
  const response = await post(`${url}/echo`, '{}', { authorization: 'Bearer secret' })
  assert.is(response.status, 200)
})

test('a port in use is a clear error', async ({ url, start }) => {
  const error = await start({ port: Number(new URL(url).port) }).catch((thrown: unknown) => thrown)
  assert.ok(hasCode(error, 'PORT_IN_USE'))
})

test('stop ends at once, also with connections that are kept alive', async ({ url, stops }) => {
  await (await fetch(`${url}/nothing`)).text()
  const lateness = measureLateness()
  await stops.pop()?.()
  const tookMs = lateness.ownMs()
  lateness.stop()
  assert.ok(tookMs < 1_000, `${tookMs} ms`)
})

test.run()
