// The Database port on LevelDB. The only file that knows level; nothing of it crosses the port.
// LevelDB shows a synced batch to readers only after its fsync, which the store's feeds rely on.

import { readdir, statfs } from 'node:fs/promises'
import { Level } from 'level'
import type { Database, DatabaseWrite, KeyRange } from './ports.ts'

/** Rows fetched per crossing of the thread pool while a range is read. */
const ROWS_PER_TURN = 1_000
/**
 * Of the first crossing. An iterator takes 64 bytes for each row that it is asked for, and keeps them until it is collected as garbage,
 * of which V8 knows nothing: ranges of a few rows that asked for 1,000 held 19 MiB in a client that takes in 50 messages a second.
 */
const FIRST_ROWS = 32
/** What the next crossing may ask for, by what the ones before it found. */
const ROWS_GROWTH = 8
const BYTES_PER_TURN = 1024 * 1024
/** LevelDB's own write buffer: what one log file can lose at most. Self-checks keep twice as much history. */
const WRITE_BUFFER_BYTES = 4 * 1024 * 1024
/** The next log, and the table that what the last one held becomes. */
const ROOM_BYTES = 2 * WRITE_BUFFER_BYTES
const LOG = /^(\d+)\.log$/
const NOWHERE = Uint8Array.of(0)

type Bytes = Level<Uint8Array, Uint8Array>
/** Under Node `level` is classic-level, which has more than its types say. */
interface Compacting {
  compactRange(start: Uint8Array, end: Uint8Array): Promise<void>
}

/** Opens or makes the database in the directory `path`. Rejects with level's error, its cause says why. */
export const openLevelDatabase = async (path: string): Promise<Database> => {
  const level: Bytes = new Level(path, {
    keyEncoding: 'buffer',
    valueEncoding: 'buffer',
    writeBufferSize: WRITE_BUFFER_BYTES,
  })
  await level.open()
  return new LevelDatabase(level, path)
}

class LevelDatabase implements Database {
  readonly #level: Bytes
  readonly #path: string
  /** A write broke off within the log. LevelDB would go on behind it, and at its next start read nothing from there on. */
  #isTorn = false

  constructor(level: Bytes, path: string) {
    this.#level = level
    this.#path = path
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#level.getSync(key)
  }

  async range(range: KeyRange): Promise<[Uint8Array, Uint8Array][]> {
    const iterator = this.#level.iterator({ ...range, highWaterMarkBytes: BYTES_PER_TURN })
    try {
      return await collect((size) => iterator.nextv(size), range.limit)
    } finally {
      await iterator.close()
    }
  }

  async keys(range: KeyRange): Promise<Uint8Array[]> {
    const iterator = this.#level.keys({ ...range, highWaterMarkBytes: BYTES_PER_TURN })
    try {
      return await collect((size) => iterator.nextv(size), range.limit)
    } finally {
      await iterator.close()
    }
  }

  /** A chained batch: it hands keys and values over directly, a third cheaper than an array of operations. */
  async batch(writes: DatabaseWrite[], options: { sync: boolean }): Promise<void> {
    if (this.#isTorn) await this.#beginLog()
    const batch = this.#level.batch()
    for (const { key, value } of writes) {
      if (value === undefined) batch.del(key)
      else batch.put(key, value)
    }
    try {
      await batch.write(options)
    } catch (error) {
      this.#isTorn = true
      throw error
    }
  }

  /** What the torn log held becomes a table, and another log is begun. Rejects as long as the disk is full. */
  async #beginLog(): Promise<void> {
    const { bavail, bsize } = await statfs(this.#path)
    // Without the room LevelDB would fail for good.
    if (bavail * bsize < ROOM_BYTES) throw new Error(`${this.#path}: No space left on device`)
    const torn = await this.#newestLog()
    await (this.#level as unknown as Compacting).compactRange(NOWHERE, NOWHERE)
    if ((await this.#newestLog()) === torn) throw new Error(`${this.#path}: a new log could not be begun`)
    this.#isTorn = false
  }

  async #newestLog(): Promise<number> {
    return Math.max(0, ...(await readdir(this.#path)).map((name) => Number(LOG.exec(name)?.[1] ?? 0)))
  }

  close(): Promise<void> {
    return this.#level.close()
  }
}

/**
 * Reads until the source is dry or the limit reached; callers bound it by `limit`. A short turn is no end: LevelDB also ends a turn
 * at a number of bytes.
 */
const collect = async <Row>(next: (size: number) => Promise<Row[]>, limit = Infinity): Promise<Row[]> => {
  const rows: Row[] = []
  while (rows.length < limit) {
    const turn = Math.min(Math.max(FIRST_ROWS, rows.length * ROWS_GROWTH), ROWS_PER_TURN)
    const more = await next(Math.min(limit - rows.length, turn))
    if (more.length === 0) break
    for (const row of more) rows.push(row)
  }
  return rows
}
