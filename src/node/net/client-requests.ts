// HTTP requests of clients as the gateway sees them: bodies stream both ways at the pace of the slower side. It knows nothing of blobs.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { leftInBuffers, passingOn } from '../../platform/bulk-memory.ts'
import type { Clock } from '../../platform/ports.ts'
import { withDeadline } from '../../platform/timing.ts'
import { ChatError } from '../../protocol/errors.ts'
import type { ClientRequest, ClientRequestHandler, ClientResponse } from '../core/ports.ts'

/** A client that reads nothing for so long is gone. */
const STALLED_MS = 30_000
/** After an answer that came before the end of the body: so long the rest is thrown away, then the connection is cut. */
const LINGER_MS = 1_000
/** What came is read, and joined to what is passed on. */
const TAKEN_COPIES = 2

export interface RequestOptions {
  clock: Clock
  handler: ClientRequestHandler
  authenticated: () => void
}

/** Never rejects: what goes wrong after the first byte breaks the connection off. */
export const serveRequest = async (
  request: IncomingMessage,
  response: ServerResponse,
  { clock, handler, authenticated }: RequestOptions,
): Promise<void> => {
  response.on('error', () => {}) // the client may be gone before it hears
  try {
    const onRead = (): void => {
      if (request.headers.expect !== undefined) response.writeContinue()
    }
    const answer = await handler(requestOf(request, authenticated, onRead))
    const hasRest = !request.readableEnded && request.headers['content-length'] !== undefined
    response.writeHead(answer.status, { ...answer.headers, ...(hasRest ? { connection: 'close' } : {}) })
    await sendBody(response, answer, clock)
    if (!request.complete) await throwAway(request, clock)
    response.end()
    request.resume()
  } catch {
    response.destroy()
  }
}

const requestOf = (request: IncomingMessage, authenticated: () => void, onRead: () => void): ClientRequest => ({
  method: request.method ?? 'GET',
  path: request.url ?? '/',
  headers: Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, value?.toString()])),
  body: bodyOf(request, onRead),
  authenticated,
})

async function* bodyOf(request: IncomingMessage, onRead: () => void): AsyncGenerator<Uint8Array> {
  onRead()
  try {
    // Who stops reading may still want to answer: the stream is not destroyed with its iterator.
    yield* passingOn(request.iterator({ destroyOnReturn: false }), TAKEN_COPIES)
  } catch (cause) {
    throw new ChatError('NET_CLOSED', { cause })
  }
}

const sendBody = async (response: ServerResponse, { body = '' }: ClientResponse, clock: Clock): Promise<void> => {
  for await (const chunk of typeof body === 'string' ? [Buffer.from(body)] : body) {
    if (response.destroyed) throw new ChatError('NET_CLOSED')
    leftInBuffers(chunk.length)
    if (!response.write(chunk)) await withDeadline(clock, STALLED_MS, drained(response))
  }
}

const drained = (response: ServerResponse): Promise<void> =>
  new Promise((resolve, reject) => {
    const settle = (): void => {
      response.off('drain', settle)
      response.off('close', settle)
      if (response.destroyed) reject(new ChatError('NET_CLOSED'))
      else resolve()
    }
    response.on('drain', settle)
    response.on('close', settle)
  })

/**
 * A connection that is cut while the client still sends would take the answer with it, and the server cuts it as soon as the answer is
 * ended. Resolves when nothing more comes, or the client had its time.
 */
const throwAway = (request: IncomingMessage, clock: Clock): Promise<void> =>
  new Promise((resolve) => {
    const cancel = clock.after(LINGER_MS, resolve)
    request.once('close', () => {
      cancel()
      resolve()
    })
    request.resume()
  })
