// A small HTTP server for JSON: the admin endpoint (loopback, with a token) and the join port. Routes are a table.
// Bodies, headers, connections and times are bounded; every error is {error: WireError}. It knows nothing of what routes do.
import { timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { http } from '../../platform/http.ts'
import { fromUtf8, toUtf8 } from '../../protocol/bytes.ts'
import { asChatError, ChatError } from '../../protocol/errors.ts'
import { sha256 } from '../../protocol/signing.ts'
import { hostPort, listenError } from './listen-error.ts'

const MAX_BODY_BYTES = 1024 * 1024
const MAX_HEADER_BYTES = 8 * 1024
const MAX_CONNECTIONS = 256
/** For headers and body; how long a route takes is its own affair. */
const REQUEST_MS = 10_000
const JSON_TYPE = 'application/json; charset=utf-8'

interface HttpRequest {
  method: string
  path: string
  query: URLSearchParams
  /** Address of the caller. */
  remote: string
}
/** `body` is the parsed JSON, undefined when there is none. The result is sent as JSON (undefined as null), a TextReply as it is. */
export type HttpRoute = (body: unknown, request: HttpRequest) => Promise<unknown>

export interface HttpOptions {
  host: string
  port: number
  /** By path, e.g. `/status`; each answers GET and POST. */
  routes: Record<string, HttpRoute>
  /** When given, every request must carry `Authorization: Bearer <token>`. */
  token?: string
  /** Told to whoever comes without the token: where its file lies, for those who may read it. */
  tokenDirectory?: string
}

/** For what is not JSON, e.g. metrics. */
export class TextReply {
  readonly text: string
  readonly contentType: string

  constructor(text: string, contentType = 'text/plain; charset=utf-8') {
    this.text = text
    this.contentType = contentType
  }
}

/** HTTP status by exit code of the error, see protocol/errors.ts. */
const STATUS_BY_EXIT = { 1: 500, 2: 400, 3: 503, 4: 404, 5: 403 } as const

class HttpFailure extends Error {
  readonly status: number
  readonly error: ChatError

  constructor(status: number, error: ChatError) {
    super(error.message)
    this.status = status
    this.error = error
  }
}

/** Resolves when it serves; `url` has the real port. PORT_IN_USE, USAGE. */
export const startHttp = async (options: HttpOptions): Promise<{ url: string; stop(): Promise<void> }> => {
  const server = http.createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: REQUEST_MS,
      requestTimeout: REQUEST_MS,
      connectionsCheckingInterval: 1_000,
    },
    (request, response) => void serve(options, request, response),
  )
  server.maxConnections = MAX_CONNECTIONS
  await listen(server, options.host, options.port)
  const { port } = server.address() as AddressInfo // a TCP server that listens has one
  return { url: `http://${hostPort(options.host, port)}`, stop: () => close(server) }
}

const listen = (server: Server, host: string, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', (error) => reject(listenError(error, hostPort(host, port))))
    server.listen(port, host, () => resolve())
  })

const close = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })

const serve = async (options: HttpOptions, request: IncomingMessage, response: ServerResponse): Promise<void> => {
  try {
    send(response, 200, await answer(options, request))
  } catch (error) {
    const failure = error instanceof HttpFailure ? error : undefined
    const chatError = failure?.error ?? asChatError(error)
    const status = chatError.code === 'RPC_INVALID' ? 400 : STATUS_BY_EXIT[chatError.exitCode as 1]
    send(response, failure?.status ?? status, { error: chatError.toWire() }) // exit codes are the table's keys
  }
}

const answer = async (options: HttpOptions, request: IncomingMessage): Promise<unknown> => {
  const { routes, token, tokenDirectory } = options
  if (token !== undefined && !isAuthorised(request, token)) {
    const details = tokenDirectory === undefined ? {} : { details: { data: tokenDirectory } }
    throw new HttpFailure(401, new ChatError('AUTH_REQUIRED', { message: 'The token is missing or wrong', ...details }))
  }
  const { pathname: path, searchParams: query } = new URL(request.url ?? '/', 'http://localhost')
  const route = Object.hasOwn(routes, path) ? routes[path] : undefined
  if (!route) throw new HttpFailure(404, new ChatError('USAGE', { message: `There is nothing at ${path}` }))
  const method = request.method ?? 'GET'
  if (method !== 'GET' && method !== 'POST')
    throw new HttpFailure(405, new ChatError('USAGE', { message: 'Use GET or POST' }))
  const body = method === 'POST' ? await readJson(request) : undefined
  return route(body, { method, path, query, remote: request.socket.remoteAddress ?? '' })
}

/** Constant time: both sides are hashed to the same length first. */
const isAuthorised = (request: IncomingMessage, token: string): boolean =>
  timingSafeEqual(sha256(toUtf8(request.headers.authorization ?? '')), sha256(toUtf8(`Bearer ${token}`)))

const readJson = async (request: IncomingMessage): Promise<unknown> => {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    // no encoding is set, so chunks are buffers
    bytes += chunk.length
    if (bytes > MAX_BODY_BYTES)
      throw new HttpFailure(413, new ChatError('FRAME_TOO_LARGE', { message: 'A body may have 1 MiB' }))
    chunks.push(chunk)
  }
  if (bytes === 0) return undefined
  try {
    const parsed: unknown = JSON.parse(fromUtf8(Buffer.concat(chunks)))
    return parsed
  } catch (cause) {
    throw new ChatError('USAGE', { message: 'The body is not JSON', cause })
  }
}

const send = (response: ServerResponse, status: number, result: unknown): void => {
  const reply = result instanceof TextReply ? result : new TextReply(JSON.stringify(result ?? null), JSON_TYPE)
  // After a refused body the rest of it is still under way: the connection cannot be used again.
  const headers = {
    'content-type': reply.contentType,
    'cache-control': 'no-store',
    ...(status === 413 ? { connection: 'close' } : {}),
  }
  response.writeHead(status, headers).end(reply.text)
}
