// The Database port on LevelDB. The only file that knows classic-level; nothing of it crosses the port.
// LevelDB shows a synced batch to readers only after its fsync, which the store's feeds rely on.

import { type BatchOperation, ClassicLevel } from 'classic-level'
import type { Database, DatabaseWrite, KeyRange } from './ports.ts'

/** Rows fetched per crossing of the thread pool while a range is read. */
const ROWS_PER_TURN = 1_000
/** LevelDB's own write buffer: what one log file can lose at most. Self-checks keep twice as much history. */
export const WRITE_BUFFER_BYTES = 4 * 1024 * 1024

type Level = ClassicLevel<Uint8Array, Uint8Array>

/** Opens or makes the database in the directory `path`. Rejects with classic-level's error, its cause says why. */
export const openLevelDatabase = async (path: string): Promise<Database> => {
  const level: Level = new ClassicLevel(path, {
    keyEncoding: 'buffer',
    valueEncoding: 'buffer',
    writeBufferSize: WRITE_BUFFER_BYTES,
  })
  await level.open()
  return new LevelDatabase(level)
}

class LevelDatabase implements Database {
  readonly #level: Level

  constructor(level: Level) {
    this.#level = level
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#level.getSync(key)
  }

  async range(range: KeyRange): Promise<[Uint8Array, Uint8Array][]> {
    const iterator = this.#level.iterator(range)
    try {
      return await collect((size) => iterator.nextv(size), range.limit)
    } finally {
      await iterator.close()
    }
  }

  async keys(range: KeyRange): Promise<Uint8Array[]> {
    const iterator = this.#level.keys(range)
    try {
      return await collect((size) => iterator.nextv(size), range.limit)
    } finally {
      await iterator.close()
    }
  }

  batch(writes: DatabaseWrite[], options: { sync: boolean }): Promise<void> {
    return this.#level.batch(writes.map(toOperation), options)
  }

  close(): Promise<void> {
    return this.#level.close()
  }
}

const toOperation = ({ key, value }: DatabaseWrite): BatchOperation<Level, Uint8Array, Uint8Array> =>
  value === undefined ? { type: 'del', key } : { type: 'put', key, value }

/** Reads until the source is dry; a whole range at once would block on nothing but memory, so callers bound it by `limit`. */
const collect = async <Row>(next: (size: number) => Promise<Row[]>, limit = Infinity): Promise<Row[]> => {
  const first = await next(Math.min(limit, ROWS_PER_TURN))
  if (first.length < ROWS_PER_TURN) return first
  const rows = first
  while (rows.length < limit) {
    const more = await next(ROWS_PER_TURN)
    if (more.length === 0) break
    for (const row of more) rows.push(row)
  }
  return rows
}
