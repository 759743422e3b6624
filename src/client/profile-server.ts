// The owner's side of a profile's socket: other processes of the same user call its Chat through it. One misbehaving process
// loses its own connection, nothing else.
import { chmodSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { asChatError } from '../protocol/errors.ts'
import type { ChatEvent, LiveEvent, OwnerChat } from './api.ts'
import { JsonLines } from './json-lines.ts'
import { type Answer, type Call, callByName, isSharedMethod, isWaitingMethod } from './profile-calls.ts'

/** How often the owner shows that it lives. */
const ALIVE_MS = 1_000

export class ProfileServer {
  readonly #chat: OwnerChat
  readonly #sockets = new Set<Socket>()
  #server: Server | undefined

  constructor(chat: OwnerChat) {
    this.#chat = chat
  }

  /** Whoever holds the profile's database may take the place of a socket left behind. */
  async listen(path: string): Promise<void> {
    rmSync(path, { force: true })
    const server = createServer((socket) => this.#serve(socket))
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(path, () => resolve())
    })
    chmodSync(path, 0o600)
    this.#server = server
  }

  /** The others notice at once, and take over. */
  async close(): Promise<void> {
    const server = this.#server
    if (!server) return
    const closed = new Promise((resolve) => server.close(resolve))
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  #serve(socket: Socket): void {
    const connection = new AbortController()
    const running = new Map<number, AbortController>()
    this.#sockets.add(socket)
    const lines = new JsonLines(socket, (value) => {
      const call = value as Call // only processes of the same user and version get here; anything else fails below
      if ('cancel' in call) running.get(call.cancel)?.abort()
      else void this.#answer(call, { lines, running, signal: connection.signal })
    })
    void lines.write({ ready: true } satisfies Answer)
    // For a process that reads nothing, being stopped, nothing is piled up: when it reads again it hears once that something changed.
    let isNews = false
    const tellChanged = (): void => {
      isNews = socket.writableNeedDrain
      if (!isNews) void lines.write({ changed: true } satisfies Answer)
    }
    const tellAlive = (): void => {
      if (!socket.writableNeedDrain) void lines.write({ alive: true } satisfies Answer)
    }
    socket.on('drain', () => isNews && tellChanged())
    const alive = setInterval(tellAlive, ALIVE_MS)
    const stopChanges = this.#chat.onChange(tellChanged)
    socket.on('error', () => {})
    socket.on('close', () => {
      stopChanges()
      clearInterval(alive)
      connection.abort()
      this.#sockets.delete(socket)
    })
  }

  async #answer(
    call: Exclude<Call, { cancel: number }>,
    { lines, running, signal }: { lines: JsonLines; running: Map<number, AbortController>; signal: AbortSignal },
  ): Promise<void> {
    const { id } = call
    const abort = new AbortController()
    running.set(id, abort)
    const either = AbortSignal.any([abort.signal, signal])
    try {
      const stream = this.#streamOf(call, either)
      for await (const event of stream ?? []) await lines.write({ id, event } satisfies Answer)
      const value = stream ? null : await this.#call(call.method, call.args, either)
      await lines.write({ id, value: value ?? null } satisfies Answer)
    } catch (error) {
      await lines.write({ id, error: asChatError(error).toWire() } satisfies Answer)
    } finally {
      running.delete(id)
    }
  }

  #call(method: unknown, args: unknown[], signal: AbortSignal): Promise<unknown> {
    if (!isSharedMethod(method)) throw new TypeError(`there is no method ${String(method)}`)
    if (!isWaitingMethod(method)) return callByName(this.#chat, method, args)
    return callByName(this.#chat, method, [...args.slice(0, -1), { ...(args.at(-1) as object), signal }])
  }

  #streamOf(
    call: Exclude<Call, { cancel: number }>,
    signal: AbortSignal,
  ): AsyncIterable<ChatEvent | LiveEvent> | undefined {
    if (call.method === 'events') return this.#chat.events({ after: call.args[0].after, signal })
    return call.method === 'live' ? this.#chat.live({ ...call.args[0], signal }) : undefined
  }
}
