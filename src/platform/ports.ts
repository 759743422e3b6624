// What services and clients may touch of the world. Production wires the real ones, tests in-memory ones, the simulator a seeded world.
// Nothing outside the adapters that implement these uses timers, clocks, randomness or databases directly.

export interface Clock {
  /** Milliseconds since 1970; may jump and may be wrong. For times that are shown or signed. */
  now(): number
  /** Milliseconds since some start; never goes back. For durations. */
  monotonic(): number
  /** Calls once after `ms`, with 0 at the end of this turn of the loop (what collects a turn's work uses it); the returned function cancels it. */
  after(ms: number, call: () => void): () => void
}

export interface RandomSource {
  bytes(count: number): Uint8Array
  /** 0 <= x < 1. */
  float(): number
}

export type DatabaseWrite = { key: Uint8Array; value: Uint8Array } | { key: Uint8Array; value: undefined }
export interface KeyRange {
  gt?: Uint8Array
  gte?: Uint8Array
  lt?: Uint8Array
  lte?: Uint8Array
  reverse?: boolean
  limit?: number
}

/** An ordered key-value store (bytewise order). `value: undefined` in a batch deletes. */
export interface Database {
  /** Synchronous: a point look-up costs less than a turn of the loop. */
  get(key: Uint8Array): Uint8Array | undefined
  range(range: KeyRange): Promise<[Uint8Array, Uint8Array][]>
  keys(range: KeyRange): Promise<Uint8Array[]>
  /** All or nothing. With `sync` it resolves after fsync; without, a power cut may lose it. Rejects when the disk is full or broken. */
  batch(writes: DatabaseWrite[], options: { sync: boolean }): Promise<void>
  close(): Promise<void>
}

/**
 * A small cell beside the database that is written without fsync after each of its syncs: the number of the last durable batch.
 * Two checksummed slots written in turn; one torn slot is no damage.
 */
export interface Marker {
  /** The greatest number of an intact slot; undefined when there is none. */
  read(): number | undefined
  write(batch: number): void
  /** True when the last user of the data closed them in order. */
  wasClosedCleanly(): boolean
  close(): void
}

/** How a service opens its data; the simulator hands in disks that lose unsynced writes. */
export interface Disk {
  /** Reopening after an error is allowed once the handle was closed. */
  openDatabase(name: string): Promise<Database>
  openMarker(name: string): Promise<Marker>
  /** After a batch failed: is there room to write again? Absent: there is. */
  hasRoom?(): Promise<boolean>
}

/**
 * Bytes by the hex SHA-256 of them, too many for a database. Ids that are none are refused with RPC_INVALID before anything is touched.
 * Where the disk is full: BLOB_FULL, and what was written for nothing is gone.
 */
export interface BlobStore {
  /** An unfinished one, new or as a crash left it. One at a time for an id; beside a whole one it takes its place when it is finished. */
  begin(id: string, size: number): Promise<UnfinishedBlob>
  /** Ids of those that are not open and wait to be gone on with. */
  unfinished(): Promise<{ id: string; size: number }[]>
  /** Of a whole one; undefined: there is none. */
  size(id: string): Promise<number | undefined>
  /**
   * Bytes of a whole one, checked; fewer than `length` only at its end. undefined: there is none.
   * Throws BLOB_HASH when they are damaged.
   */
  read(id: string, offset: number, length: number): Promise<Uint8Array | undefined>
  /** Whole or unfinished; nothing happens when it is not there. */
  remove(id: string): Promise<void>
  /** Ids of the whole ones. */
  list(): Promise<string[]>
}
export interface UnfinishedBlob {
  readonly size: number
  /** Bytes taken. */
  readonly written: number
  /** Of those, what no crash takes any more: whole chunks. */
  readonly durable: number
  /** In order; never beyond `size`. The bytes are the store's until it resolves. */
  append(bytes: Uint8Array): Promise<void>
  /** All that was written becomes durable. */
  sync(): Promise<void>
  /** It is whole, for good. BLOB_INCOMPLETE; BLOB_HASH when its bytes are not those of its id: then they are gone. */
  finish(): Promise<void>
  /** What is durable stays for a later `begin`. */
  close(): Promise<void>
}

export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} }
