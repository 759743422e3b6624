// Sockets that have not authenticated yet, from the TCP connection on, in the order they came. When they are too many the
// oldest goes, never the newcomer; and each one goes when its time is over. One sweep, no timers per socket.
import type { Socket } from 'node:net'
import { hostPort } from './listen-error.ts'

/** What a newcomer becomes once it speaks WebSocket: it can be told why it has to go. */
interface Closable {
  close(code: number, reason: string): void
  terminate(): void
}
interface Newcomer {
  socket: Socket
  since: number
  connection?: Closable
}

const POLICY_VIOLATION = 1008

export class Newcomers {
  /** By address and port of the peer: TLS hides the TCP socket, but not these. */
  readonly #newcomers = new Map<string, Newcomer>()
  readonly #max: number
  readonly #maxAgeMs: number

  constructor(max: number, maxAgeMs: number) {
    this.#max = max
    this.#maxAgeMs = maxAgeMs
  }

  get size(): number {
    return this.#newcomers.size
  }

  add(socket: Socket, now: number): void {
    if (socket.remoteAddress === undefined) return // gone already
    this.#newcomers.set(hostPort(socket.remoteAddress, socket.remotePort ?? 0), { socket, since: now })
    if (this.#newcomers.size <= this.#max) return
    for (const [remote, { socket: oldest, connection }] of this.#newcomers) {
      this.#newcomers.delete(remote)
      if (oldest.destroyed) continue
      if (connection) connection.terminate()
      else oldest.destroy()
      return
    }
  }

  attach(remote: string, connection: Closable): void {
    const newcomer = this.#newcomers.get(remote)
    if (newcomer) newcomer.connection = connection
  }

  /** It has authenticated, or it has gone. */
  remove(remote: string): void {
    this.#newcomers.delete(remote)
  }

  sweep(now: number): void {
    for (const [remote, { socket, since, connection }] of this.#newcomers) {
      const isLate = now - since >= this.#maxAgeMs
      if (!isLate && !socket.destroyed) continue
      this.#newcomers.delete(remote)
      if (connection) connection.close(POLICY_VIOLATION, 'not authenticated in time')
      else socket.destroy()
    }
  }

  /** Ends those that do not speak WebSocket yet; the others are told by their owner. */
  clear(): void {
    for (const { socket, connection } of this.#newcomers.values()) if (!connection) socket.destroy()
    this.#newcomers.clear()
  }
}
