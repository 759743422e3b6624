// The Database port on LevelDB. The only file that knows level; nothing of it crosses the port.
// LevelDB shows a synced batch to readers only after its fsync, which the store's feeds rely on.

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

type Bytes = Level<Uint8Array, Uint8Array>

/** Opens or makes the database in the directory `path`. Rejects with level's error, its cause says why. */
export const openLevelDatabase = async (path: string): Promise<Database> => {
  const level: Bytes = new Level(path, {
    keyEncoding: 'buffer',
    valueEncoding: 'buffer',
    writeBufferSize: WRITE_BUFFER_BYTES,
  })
  await level.open()
  return new LevelDatabase(level)
}

class LevelDatabase implements Database {
  readonly #level: Bytes

  constructor(level: Bytes) {
    this.#level = level
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
    const batch = this.#level.batch()
    for (const { key, value } of writes) {
      if (value === undefined) batch.del(key)
      else batch.put(key, value)
    }
    await batch.write(options)
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
