// The port BlobTransfer over HTTP: /blob/<id> on the gateway's own port, in the name of the open session. Streams both ways, takes no
// more than the other side does, and turns what goes wrong into the errors of the system. Keeps nothing.
import type { ClientRequest, IncomingMessage } from 'node:http'
import { asChatError, ChatError, isErrorCode, type WireError } from '../protocol/errors.ts'
import { limits } from '../protocol/limits.ts'
import { passingOn } from '../platform/bulk-memory.ts'
import { http, https } from '../platform/http.ts'
import type { BlobAccess, BlobTransfer } from './ports.ts'

/** A connection on which nothing moves for so long is dead: longer than the cluster waits for one of its disks. */
const SILENCE_MS = 30_000
/** After the last byte the cluster hashes the whole and waits for its disks. */
const FINISH_MS = limits.blobFinishTimeoutMs + SILENCE_MS
/** Some servers never say that they want the body. */
const CONTINUE_MS = 1_000
const MAX_ERROR_BYTES = 64 * 1024
/** What came is joined to a chunk, and decrypted. */
const COPIES = 3
const OK = 200
const CREATED = 201
const PARTIAL = 206
const NOT_FOUND = 404
const CONFLICT = 409
const TOO_LARGE = 413

interface Request {
  method: 'HEAD' | 'PUT' | 'GET'
  headers?: Record<string, string | number>
  signal: AbortSignal
}

export class HttpBlobs implements BlobTransfer {
  readonly #silenceMs: number
  readonly #agents = {
    'http:': new http.Agent({ keepAlive: true }),
    'https:': new https.Agent({ keepAlive: true }),
  }

  constructor(options: { silenceMs?: number } = {}) {
    this.#silenceMs = options.silenceMs ?? SILENCE_MS
  }

  async confirmed(access: BlobAccess, id: string, signal: AbortSignal): Promise<number | undefined> {
    const request = this.#request(access, id, { method: 'HEAD', signal })
    request.end()
    const response = await responseOf(request)
    response.resume()
    if (response.statusCode === NOT_FOUND) return undefined
    if (response.statusCode !== OK) throw errorOfHead(response)
    const offset = Number(response.headers['x-blob-offset'])
    if (!Number.isSafeInteger(offset) || offset < 0) throw new ChatError('RPC_INVALID')
    return offset
  }

  async put(
    access: BlobAccess,
    { id, size, offset, bytes }: { id: string; size: number; offset: number; bytes: AsyncIterable<Uint8Array> },
    signal: AbortSignal,
  ): Promise<void> {
    const headers = {
      'content-length': size - offset,
      'x-blob-size': size,
      'x-blob-offset': offset,
      // A refusal comes before the body then, and not as a broken connection in the middle of it.
      expect: '100-continue',
    }
    const request = this.#request(access, id, { method: 'PUT', headers, signal })
    const answer = responseOf(request)
    answer.catch(() => {}) // awaited below
    try {
      await beginning(request, answer)
      await sendAll(request, bytes, answer)
      const response = await answer
      if (response.statusCode === CREATED || response.statusCode === OK) return void response.resume()
      throw await errorOf(response)
    } catch (error) {
      request.destroy()
      throw error
    }
  }

  async *get(
    access: BlobAccess,
    { id, from }: { id: string; from: number },
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const headers = from > 0 ? { range: `bytes=${from}-` } : {}
    const request = this.#request(access, id, { method: 'GET', headers, signal })
    request.end()
    const response = await responseOf(request)
    try {
      if (response.statusCode !== (from > 0 ? PARTIAL : OK)) throw await errorOf(response)
      yield* passingOn(response, COPIES)
    } catch (error) {
      throw networkError(error)
    } finally {
      request.destroy()
    }
  }

  #request({ url, token }: BlobAccess, id: string, { method, headers = {}, signal }: Request): ClientRequest {
    const target = new URL(`/blob/${id}`, url.replace(/^ws/, 'http'))
    const isTls = target.protocol === 'https:'
    return (isTls ? https : http).request(target, {
      method,
      signal,
      agent: this.#agents[isTls ? 'https:' : 'http:'],
      headers: { authorization: `Bearer ${token}`, ...headers },
      timeout: this.#silenceMs,
    })
  }
}

const networkError = (cause: unknown): ChatError =>
  cause instanceof ChatError
    ? cause
    : new ChatError('NET_UNAVAILABLE', {
        message: `The gateway cannot be reached (${asChatError(cause).message})`,
        cause,
      })

const responseOf = (request: ClientRequest): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    request.once('response', resolve)
    request.on('error', (error) => reject(networkError(error)))
    request.once('timeout', () => request.destroy(new ChatError('NET_TIMEOUT')))
  })

/** Resolves when the body may be sent, or there is an answer already. */
const beginning = async (request: ClientRequest, answer: Promise<IncomingMessage>): Promise<void> => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, CONTINUE_MS)
  request.once('continue', resolve)
  request.flushHeaders()
  try {
    await Promise.race([promise, answer])
  } finally {
    clearTimeout(timer)
  }
}

/** Ends early when there is an answer: it can only be a refusal. */
const sendAll = async (
  request: ClientRequest,
  bytes: AsyncIterable<Uint8Array>,
  answer: Promise<IncomingMessage>,
): Promise<void> => {
  let isAnswered = false
  const answered = answer.then(() => void (isAnswered = true))
  answered.catch(() => {}) // whoever awaits the answer hears of it
  for await (const part of bytes) {
    if (isAnswered) return
    if (!request.write(part)) await Promise.race([drained(request), answered])
  }
  if (isAnswered) return
  request.end()
  request.setTimeout(FINISH_MS)
}

const drained = (request: ClientRequest): Promise<void> => new Promise((resolve) => request.once('drain', resolve))

const statusErrors: Record<number, 'AUTH_REQUIRED' | 'BLOB_UNKNOWN' | 'BLOB_INCOMPLETE' | 'BLOB_TOO_LARGE'> = {
  401: 'AUTH_REQUIRED',
  [NOT_FOUND]: 'BLOB_UNKNOWN',
  [CONFLICT]: 'BLOB_INCOMPLETE',
  [TOO_LARGE]: 'BLOB_TOO_LARGE',
}

/** For an answer that does not say more, as of a proxy in between. */
const errorOfStatus = (status = 0): ChatError => {
  const code = statusErrors[status]
  return code ? new ChatError(code) : new ChatError('NET_UNAVAILABLE', { message: `The gateway answered ${status}` })
}

/** There is no body that could say more. */
const errorOfHead = ({ statusCode, headers }: IncomingMessage): ChatError => {
  const code = headers['x-error-code']
  return isErrorCode(code) ? new ChatError(code) : errorOfStatus(statusCode)
}

const errorOf = async (response: IncomingMessage): Promise<ChatError> => {
  const parts: Buffer[] = []
  let size = 0
  for await (const bytes of response) {
    parts.push(bytes as Buffer) // no encoding is set
    size += parts.at(-1)?.length ?? 0
    if (size > MAX_ERROR_BYTES) break
  }
  try {
    const { error } = JSON.parse(Buffer.concat(parts).toString('utf8')) as { error?: Partial<WireError> } // fromWire checks
    if (error) return ChatError.fromWire(error)
  } catch {
    // Not ours.
  }
  return errorOfStatus(response.statusCode)
}
