// What a load needs of a system under test: sessions that send to each other and say when a message was stored and delivered.
import type { RawData } from 'ws'

/** The text of a frame; ws hands out Buffers unless told otherwise. */
export const textOf = (data: RawData): string => (Buffer.isBuffer(data) ? data.toString('utf8') : '')

export interface LoadSession {
  readonly user: string
  /** Prepares message `index` ahead of the measured time (signing is the client's cost, not the server's). */
  prepare(to: string, index: number, text: string): string
  send(prepared: string): void
  /** Called with the index of the message. */
  onStored: (index: number) => void
  onDelivered: (index: number) => void
  close(): void
}

export interface LoadTarget {
  /** Registers users (not measured). */
  register(users: string[]): Promise<void>
  /** A connected, authenticated session that receives live messages. */
  /** Makes a group of these users (sessions of theirs are open); what messages to it are addressed to. */
  makeGroup(name: string, users: string[]): Promise<string>
  login(user: string, options?: { receipts?: boolean }): Promise<LoadSession>
}
