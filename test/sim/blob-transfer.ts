// The client's side of attachments in the simulator: requests to a gateway's door, as HTTP makes them, that take time part by part and
// break when the way is cut, the session's gateway dies or the client does.
import type { BlobAccess, BlobTransfer } from '../../src/client/ports.ts'
import { ChatError, type WireError } from '../../src/protocol/errors.ts'
import type { ClientRequest, ClientResponse } from '../../src/node/core/ports.ts'
import { sleep } from '../../src/platform/timing.ts'
import type { Life } from './life.ts'
import type { Door, Sockets } from './sockets.ts'

/** How soon a client notices that nobody is there any more. */
const LOOK_MS = 250
/** Nothing moves for so long: the client gives it up. */
const SILENCE_MS = 30_000

export class SimBlobTransfer implements BlobTransfer {
  readonly #sockets: Sockets
  readonly #client: string
  readonly #life: Life
  /** Called when a request begins; its result when the gateway is about to answer that all is whole and safe. */
  readonly #begin: () => (id: string) => void

  constructor(sockets: Sockets, { client, life }: { client: string; life: Life }, begin: () => (id: string) => void) {
    this.#sockets = sockets
    this.#client = client
    this.#life = life
    this.#begin = begin
  }

  async confirmed(access: BlobAccess, id: string, signal: AbortSignal): Promise<number | undefined> {
    const { status, headers, body } = await this.#request(access, { method: 'HEAD', id }, signal)
    if (status === 404) return undefined
    if (status !== 200) throw errorOf(body)
    return Number(headers['x-blob-offset'])
  }

  async put(
    access: BlobAccess,
    { id, size, offset, bytes }: { id: string; size: number; offset: number; bytes: AsyncIterable<Uint8Array> },
    signal: AbortSignal,
  ): Promise<void> {
    const headers = { 'x-blob-size': `${size}`, 'x-blob-offset': `${offset}` }
    const { status, body } = await this.#request(access, { method: 'PUT', id, headers, bytes }, signal)
    if (status !== 200 && status !== 201) throw errorOf(body)
  }

  async *get(
    access: BlobAccess,
    { id, from }: { id: string; from: number },
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    const headers = from > 0 ? { range: `bytes=${from}-` } : {}
    const { status, body } = await this.#request(access, { method: 'GET', id, headers }, signal)
    if (status !== (from > 0 ? 206 : 200) || body === undefined || typeof body === 'string') throw errorOf(body)
    const parts = body[Symbol.asyncIterator]()
    for (;;) {
      const part = await this.#whileOpen(access, parts.next(), signal)
      if (part.done) return
      yield part.value
    }
  }

  async #request(
    access: BlobAccess,
    asked: { method: string; id: string; headers?: Record<string, string>; bytes?: AsyncIterable<Uint8Array> },
    signal: AbortSignal,
  ): Promise<ClientResponse> {
    await sleep(this.#life.clock, this.#sockets.latency(), signal)
    const door = this.#sockets.doorFor(this.#client, access.url)
    if (!door) throw new ChatError('NET_UNAVAILABLE')
    const request: ClientRequest = {
      method: asked.method,
      path: `/blob/${asked.id}`,
      headers: { authorization: `Bearer ${access.token}`, ...asked.headers },
      body: this.#upstream(access, door, asked.bytes),
      authenticated() {},
    }
    const onWhole = this.#begin()
    const answer = new Promise<ClientResponse>((resolve, reject) => {
      const told = (response: ClientResponse): void => {
        if (response.status === 201) onWhole(asked.id)
        resolve(response)
      }
      door.life.run(() => void door.onRequest(request).then(told, reject))
    })
    const response = await this.#whileOpen(access, answer, signal)
    await sleep(this.#life.clock, this.#sockets.latency(), signal)
    return response
  }

  /** As the gateway reads it. */
  async *#upstream(
    access: BlobAccess,
    door: Door,
    bytes: AsyncIterable<Uint8Array> | undefined,
  ): AsyncGenerator<Uint8Array> {
    if (!bytes) return
    for await (const part of bytes) {
      await sleep(door.life.clock, this.#sockets.latency())
      if (this.#life.isDead || !this.#sockets.doorFor(this.#client, access.url)) throw new ChatError('NET_CLOSED')
      yield part
    }
  }

  /** Looks again and again whether anybody is there, as keep-alives do. */
  async #whileOpen<T>(access: BlobAccess, work: Promise<T>, signal: AbortSignal): Promise<T> {
    let isOver = false
    const settled = work.finally(() => (isOver = true))
    settled.catch(() => undefined) // whoever awaits the race hears of it
    const watch = async (): Promise<never> => {
      for (let waited = 0; ; waited += LOOK_MS) {
        await sleep(this.#life.clock, LOOK_MS)
        if (isOver) return new Promise<never>(() => undefined)
        signal.throwIfAborted()
        if (waited > SILENCE_MS) throw new ChatError('NET_TIMEOUT')
        if (!this.#sockets.doorFor(this.#client, access.url)) throw new ChatError('NET_UNAVAILABLE')
      }
    }
    return Promise.race([settled, watch()])
  }
}

const errorOf = (body: ClientResponse['body']): ChatError => {
  if (typeof body !== 'string') return new ChatError('NET_UNAVAILABLE')
  const { error } = JSON.parse(body) as { error: WireError } // a gateway of ours wrote it
  return ChatError.fromWire(error)
}
