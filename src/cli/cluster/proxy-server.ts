// The proxy process of a local cluster: the links between its nodes, and one HTTP door on loopback through which the
// `chatd cluster` commands set them. It keeps nothing: the commands hand it the whole table each time.
import { randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { http } from '../../platform/http.ts'
import { type LinkOrder, LinkProxy } from './link-proxy.ts'

const MAX_BODY_BYTES = 1024 * 1024

const readBody = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_BODY_BYTES) throw new RangeError('too large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

const mayAsk = (request: IncomingMessage, token: string): boolean => {
  const given = Buffer.from(request.headers.authorization ?? '')
  const wanted = Buffer.from(`Bearer ${token}`)
  return given.length === wanted.length && timingSafeEqual(given, wanted)
}

export interface RunningProxy {
  port: number
  token: string
  close: () => void
}

/** PUT /links with the whole table sets it; the answer says at which port each link listens. */
export const startProxyServer = async (): Promise<RunningProxy> => {
  const proxy = new LinkProxy()
  const token = randomBytes(24).toString('base64url')
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (!mayAsk(request, token)) return void response.writeHead(403).end()
    if (request.method !== 'PUT' || request.url !== '/links') return void response.writeHead(404).end()
    const orders = JSON.parse(await readBody(request)) as LinkOrder[] // from chatd cluster of the same version
    const reports = await proxy.apply(orders)
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(reports))
  }
  const server = http.createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.writeHead(400).end(String(error)))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port: 0, host: '127.0.0.1' }, () => resolve())
  })
  const close = (): void => {
    proxy.close()
    server.close()
    server.closeAllConnections()
  }
  return { port: (server.address() as AddressInfo).port, token, close } // it listens on TCP
}
