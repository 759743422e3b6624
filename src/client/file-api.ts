// The part of the client library's interface that is about files: those of messages, those on their way, fetching them.
import type { Preview } from '../protocol/content.ts'

export interface ShownAttachment {
  /** Of its blob; empty, like the hash, of a file of an own message that waits and was not read yet. */
  id: string
  /** As its sender calls it. */
  name: string
  /** Bytes of the file. */
  size: number
  /** Media type, as its sender says. */
  type: string
  /** Of the file, hex. */
  sha256: string
  /** A small picture of a picture. */
  preview?: Preview
}
/** A file of an own message that is on its way to the cluster. */
export interface Transfer {
  /** Id of the message. */
  message: string
  to: string
  name: string
  /** Bytes of the file. */
  size: number
  /** Of these, how many are there or under way. */
  sent: number
  /** It was read and encrypted once; its upload can begin. */
  isPrepared: boolean
}
export interface FetchOptions {
  /** Where the files go; made when it is not there. Default: the current directory. */
  directory?: string
  /** Only the attachments of this name. */
  name?: string
  signal?: AbortSignal
  onProgress?: (progress: { name: string; size: number; received: number }) => void
}
export interface FetchedAttachment {
  name: string
  /** Absolute: where the file is now. */
  path: string
  size: number
  /** Verified. */
  sha256: string
}
