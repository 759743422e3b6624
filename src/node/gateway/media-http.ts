// Attachments over HTTP: HEAD, PUT and GET of /blob/<id> for a session's client. Bytes are passed on as they come, in both directions.
// It keeps none of them, and knows nothing of what they are: clients encrypt before they send.
import type { Logger } from '../../platform/ports.ts'
import { isBlobId } from '../../protocol/blob.ts'
import { asChatError, ChatError, type ErrorCode } from '../../protocol/errors.ts'
import type { ClientRequest, ClientResponse } from '../core/ports.ts'
import type { Blobs } from '../replication/blobs.ts'
import type { MediaTokens } from './media-tokens.ts'
import { rangeOf } from './range-header.ts'
import type { Session } from './session.ts'

/** Transfers under way, of one session and of all: each holds up to a MiB for each home, or two for its client. */
const MAX_PER_SESSION = 8
const MAX_ALL = 48

export interface MediaHttpPorts {
  blobs: Blobs
  tokens: MediaTokens
  log: Logger
  maxBlobBytes: number
}

type Handler = (request: ClientRequest, session: Session, blob: string) => Promise<ClientResponse>

/** What differs from the status of its exit code. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  AUTH_REQUIRED: 401,
  BLOB_INCOMPLETE: 409,
  BLOB_TOO_LARGE: 413,
  BLOB_HASH: 422,
  RATE_LIMITED: 429,
  BLOB_FULL: 507,
}
const STATUS_BY_EXIT: Record<number, number> = { 1: 500, 2: 400, 3: 503, 4: 404, 5: 403 }
const PATH = /^\/blob\/([^/?]*)$/
const BEARER = /^Bearer ([0-9a-f]+)$/
const NO_STORE = { 'cache-control': 'no-store' }

export class MediaHttp {
  readonly #ports: MediaHttpPorts
  readonly #transfers = new Map<Session, number>()
  readonly #handlers: Partial<Record<string, Handler>> = {
    HEAD: (_request, _session, blob) => this.#head(blob),
    GET: (request, session, blob) => this.#get(request, session, blob),
    PUT: (request, session, blob) => this.#put(request, session, blob),
  }
  #count = 0
  #isDraining = false

  constructor(ports: MediaHttpPorts) {
    this.#ports = ports
  }

  get transfers(): number {
    return this.#count
  }

  /** From now on every request is refused; those under way go on. */
  drain(): void {
    this.#isDraining = true
  }

  async handle(request: ClientRequest): Promise<ClientResponse> {
    try {
      const session = this.#sessionOf(request)
      request.authenticated()
      if (this.#isDraining) throw new ChatError('GATEWAY_DRAINING')
      const handler = this.#handlers[request.method]
      const blob = PATH.exec(request.path)?.[1]
      if (!handler) throw new ChatError('USAGE', { message: 'Use HEAD, PUT or GET' })
      if (!isBlobId(blob)) throw new ChatError('USAGE', { message: 'The path is /blob/<64 hex digits>' })
      return await handler(request, session, blob)
    } catch (error) {
      return this.#failure(error)
    }
  }

  #sessionOf({ headers }: ClientRequest): Session {
    const token = BEARER.exec(headers.authorization ?? '')?.[1]
    const session = token === undefined ? undefined : this.#ports.tokens.sessionOf(token)
    if (!session) throw new ChatError('AUTH_REQUIRED', { message: 'The token is missing or its session has ended' })
    return session
  }

  async #head(blob: string): Promise<ClientResponse> {
    const state = await this.#ports.blobs.stat(blob)
    if (!state) throw new ChatError('BLOB_UNKNOWN')
    const { size, offset } = state
    return { status: 200, headers: { ...NO_STORE, 'x-blob-size': `${size}`, 'x-blob-offset': `${offset}` } }
  }

  async #put({ headers, body }: ClientRequest, session: Session, blob: string): Promise<ClientResponse> {
    const { blobs, maxBlobBytes } = this.#ports
    const size = numberOf(headers, 'x-blob-size')
    const offset = numberOf(headers, 'x-blob-offset')
    if (size > maxBlobBytes) throw new ChatError('BLOB_TOO_LARGE', { details: { maxBlobBytes } })
    if (size === 0 || offset > size) throw new ChatError('USAGE', { message: 'The offset is beyond the size' })
    const end = this.#begin(session)
    try {
      const { user } = session.identity
      await blobs.upload({ blob, user, size, offset, body: whileOpen(body, session) })
    } finally {
      end()
    }
    return json(201, { id: blob, size })
  }

  async #get({ headers }: ClientRequest, session: Session, blob: string): Promise<ClientResponse> {
    const { blobs } = this.#ports
    const end = this.#begin(session)
    try {
      const size = await blobs.size(blob)
      const range = rangeOf(headers.range, size)
      const common = { ...NO_STORE, 'accept-ranges': 'bytes', 'content-type': 'application/octet-stream' }
      if (range === 'unsatisfiable') {
        end()
        return { status: 416, headers: { ...common, 'content-range': `bytes */${size}` } }
      }
      const { start, end: last } = range ?? { start: 0, end: size }
      const body = finallyCall(whileOpen(blobs.read(blob, { start, end: last }), session), end)
      const partly = range ? { 'content-range': `bytes ${start}-${last - 1}/${size}` } : {}
      return { status: range ? 206 : 200, headers: { ...common, ...partly, 'content-length': `${last - start}` }, body }
    } catch (error) {
      end()
      throw error
    }
  }

  /** Counts a transfer until the returned function is called, once or more. RATE_LIMITED. */
  #begin(session: Session): () => void {
    const own = this.#transfers.get(session) ?? 0
    if (own >= MAX_PER_SESSION || this.#count >= MAX_ALL) {
      throw new ChatError('RATE_LIMITED', { message: 'Too many attachments are under way; wait for one to end' })
    }
    this.#transfers.set(session, own + 1)
    this.#count += 1
    session.inFlight += 1
    let isOver = false
    return () => {
      if (isOver) return
      isOver = true
      session.inFlight -= 1
      this.#count -= 1
      const left = (this.#transfers.get(session) ?? 1) - 1
      if (left === 0) this.#transfers.delete(session)
      else this.#transfers.set(session, left)
    }
  }

  #failure(error: unknown): ClientResponse {
    const known = asChatError(error)
    if (known.code === 'INTERNAL') {
      this.#ports.log.error({ error: known.stack ?? known.message }, 'a transfer failed unexpectedly')
    }
    const response = json(STATUS[known.code] ?? STATUS_BY_EXIT[known.exitCode] ?? 500, { error: known.toWire() })
    // The answer to HEAD has no body that could say it.
    return { ...response, headers: { ...response.headers, 'x-error-code': known.code } }
  }
}

const json = (status: number, value: object): ClientResponse => {
  const body = JSON.stringify(value)
  const headers = { ...NO_STORE, 'content-type': 'application/json', 'content-length': `${Buffer.byteLength(body)}` }
  return { status, headers, body }
}

const numberOf = (headers: ClientRequest['headers'], name: string): number => {
  const text = headers[name] ?? ''
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new ChatError('USAGE', { message: `The header ${name} must be a number of bytes` })
}

/** What is under way ends with the session, too. */
async function* whileOpen(bytes: AsyncIterable<Uint8Array>, session: Session): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    if (session.isClosed) throw new ChatError('AUTH_REQUIRED', { message: 'The session has ended' })
    yield chunk
  }
}

async function* finallyCall(bytes: AsyncIterable<Uint8Array>, call: () => void): AsyncGenerator<Uint8Array> {
  try {
    yield* bytes
  } finally {
    call()
  }
}
