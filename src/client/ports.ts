// What the client's core may touch of the world besides the platform's ports: a way to reach a gateway.
// Production dials WebSockets, tests and the simulator hand in pairs in memory.
import type { Clock, Database, Logger, RandomSource } from '../platform/ports.ts'

/** One open connection to a gateway; frames are texts. */
export interface GatewayLink {
  /** Bytes accepted by send and not yet handed to the network. */
  readonly bufferedBytes: number
  send(text: string): void
  /** Ends the connection; `closed` is not called after it. */
  close(): void
}
export interface GatewayLinkHandlers {
  message(text: string): void
  /** Called once, when the other side or the network ended the connection. */
  closed(reason: string): void
}
/** Rejects with NET_UNAVAILABLE or NET_INSECURE; with the signal at once. */
export type Dial = (url: string, handlers: GatewayLinkHandlers, signal?: AbortSignal) => Promise<GatewayLink>

export interface ClientPorts {
  clock: Clock
  random: RandomSource
  database: Database
  dial: Dial
  log: Logger
}
