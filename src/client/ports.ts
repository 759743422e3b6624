// What the client's core may touch of the world besides the platform's ports: a way to reach a gateway.
// Production dials WebSockets, tests and the simulator hand in pairs in memory.
import type { Preview } from '../protocol/content.ts'
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

/** Where blobs are moved at the moment: a gateway, in the name of a session that is open there. */
export interface BlobAccess {
  /** The gateway's address, as it was dialled. */
  url: string
  token: string
  /** The largest blob that the cluster takes, encrypted. */
  maxBlobBytes: number
}
export interface BlobUpload {
  id: string
  /** Of the whole blob. */
  size: number
  /** Of the first of `bytes`. */
  offset: number
  bytes: AsyncIterable<Uint8Array>
}
/** How encrypted attachments travel. Everything rejects with ChatErrors, NET_* when the network failed, and with the signal. */
export interface BlobTransfer {
  /** How many bytes of it the cluster has safely, all or the first ones; undefined when it knows no such blob. */
  confirmed(access: BlobAccess, id: string, signal: AbortSignal): Promise<number | undefined>
  /** Resolves once the blob is whole, verified and safe. Takes no more of `bytes` than the network does. BLOB_INCOMPLETE for another offset. */
  put(access: BlobAccess, upload: BlobUpload, signal: AbortSignal): Promise<void>
  /** From that byte to the end. BLOB_UNKNOWN. */
  get(access: BlobAccess, part: { id: string; from: number }, signal: AbortSignal): AsyncIterable<Uint8Array>
}

/** The files of this machine that may be sent. FILE_UNKNOWN, FILE_DENIED, USAGE for what is no file. */
export interface SourceFiles {
  /** Bytes, and when it was last changed, in milliseconds since 1970. */
  stat(path: string): Promise<{ size: number; modifiedAt: number }>
  read(path: string, options: { from: number; signal: AbortSignal }): AsyncIterable<Uint8Array>
  /** A small picture of a picture, at most so long as base64, without what else the file tells; undefined when none can be made. */
  preview(path: string, maxLength: number): Promise<Preview | undefined>
}

/** What a client that sends files needs. */
export interface AttachmentPorts {
  blobs: BlobTransfer
  files: SourceFiles
}

/** protocol/sealed.ts isSealedBy, at its own pace: where there are threads, on one of them. */
export type SealCheck = (sealed: Uint8Array, cluster: string, publicKey: Uint8Array) => Promise<boolean>

export interface ClientPorts {
  clock: Clock
  random: RandomSource
  database: Database
  isSealedBy: SealCheck
  dial: Dial
  log: Logger
  /** Absent: this client sends no files. */
  attachments?: AttachmentPorts
}
