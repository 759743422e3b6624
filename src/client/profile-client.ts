// The other side of a profile's socket: calls the owner's Chat. When the owner goes, everything under way fails with OwnerGone,
// and shared-chat.ts takes it from there.
import { connect as connectSocket, type Socket } from 'node:net'
import { ChatError } from '../protocol/errors.ts'
import type { ChatEvent, LiveEvent } from './api.ts'
import { JsonLines } from './json-lines.ts'
import type { Answer, Call, SharedMethod, StreamCall } from './profile-calls.ts'

/** The process that owned the profile has ended. Never leaves the client library. */
export class OwnerGone extends Error {}

/** An owner that says nothing for so long is stopped, or hangs; whoever waits for it is better told. */
const SILENCE_MS = 4_000

interface Waiting {
  resolve: (value: unknown) => void
  reject: (error: Error) => void
  onEvent: ((event: ChatEvent | LiveEvent) => void) | undefined
}

export class ProfileClient {
  readonly #socket: Socket
  readonly #lines: JsonLines
  readonly #waiting = new Map<number, Waiting>()
  readonly #onChange: () => void
  #nextId = 1
  readonly #ready = Promise.withResolvers<void>()
  readonly gone: Promise<void>

  private constructor(socket: Socket, onChange: () => void) {
    this.#socket = socket
    this.#onChange = onChange
    this.#lines = new JsonLines(socket, (value) => this.#receive(value as Answer)) // the owner is of the same user and version
    this.gone = new Promise((resolve) => socket.once('close', () => resolve()))
    socket.setTimeout(SILENCE_MS, () => socket.destroy())
    socket.on('error', () => {})
    socket.once('close', () => {
      for (const { reject } of this.#waiting.values()) reject(new OwnerGone())
      this.#waiting.clear()
    })
  }

  /** undefined when nobody listens there (yet, or any more), or who listens is stopped. */
  static async open(path: string, onChange: () => void): Promise<ProfileClient | undefined> {
    const client = new ProfileClient(connectSocket(path), onChange)
    await Promise.race([client.#ready.promise, client.gone])
    return client.#socket.destroyed ? undefined : client
  }

  async call(
    method: SharedMethod | StreamCall['method'],
    args: unknown[],
    options: CallOptions = {},
  ): Promise<unknown> {
    // Not before whoever looks for another owner knows: it would be called again in the same turn, for ever.
    if (this.#socket.destroyed) await this.gone
    const id = this.#nextId++
    return new Promise((resolve, reject) => {
      if (this.#socket.destroyed) return reject(new OwnerGone())
      const cancel = (): void => void this.#lines.write({ cancel: id } satisfies Call)
      const done = (): void => options.signal?.removeEventListener('abort', cancel)
      options.signal?.addEventListener('abort', cancel, { once: true })
      this.#waiting.set(id, {
        resolve: (value) => {
          done()
          resolve(value)
        },
        reject: (error) => {
          done()
          reject(error)
        },
        onEvent: options.onEvent,
      })
      void this.#lines.write({ id, method, args: given(args) })
      if (options.signal?.aborted) cancel()
    })
  }

  close(): void {
    this.#socket.destroy()
  }

  #receive(answer: Answer): void {
    if ('alive' in answer) return
    if ('ready' in answer) return this.#ready.resolve()
    if ('changed' in answer) return this.#onChange()
    const waiting = this.#waiting.get(answer.id)
    if (!waiting) return
    if ('event' in answer) return waiting.onEvent?.(answer.event)
    this.#waiting.delete(answer.id)
    if ('error' in answer) waiting.reject(ChatError.fromWire(answer.error))
    else waiting.resolve(answer.value)
  }
}

export interface CallOptions {
  signal?: AbortSignal
  onEvent?: (event: ChatEvent | LiveEvent) => void
}

/** JSON would make null of what is not given, which means something else. */
const given = (args: readonly unknown[]): unknown[] => args.slice(0, args.findLastIndex((arg) => arg !== undefined) + 1)
