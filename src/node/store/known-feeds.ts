// The feed ids under which other homes read the ledger here: a home comes back under another one when it has lost what it promised.
// Old ids are kept too, so that a request of a former life that arrives late changes nothing.
import { ChatError } from '../../protocol/errors.ts'
import { metaKey } from './keys.ts'
import type { StagedRows } from './staged-rows.ts'
import { metaValue, openMetaValue } from './values.ts'

const KEY = metaKey('ledger-feeds')
/** More lives than any disk has. */
const MAX_LIVES = 100

export class KnownFeeds {
  readonly #rows: StagedRows
  /** Newest first. */
  readonly #lives: Map<string, string[]>
  readonly #present = new Map<string, string>()

  constructor(rows: StagedRows) {
    this.#rows = rows
    const saved = openMetaValue(KEY, rows.get(KEY)) ?? {}
    this.#lives = new Map(Object.entries(saved as Record<string, string[]>)) // written by note, checksummed
    for (const [peer, [feed]] of this.#lives) if (feed !== undefined) this.#present.set(peer, feed)
  }

  /** The present one of each home. */
  all(): ReadonlyMap<string, string> {
    return this.#present
  }

  /** Counts at once; commit before anything is answered. RPC_INVALID for a life that has ended. */
  note(peer: string, feed: string): void {
    const lives = this.#lives.get(peer) ?? []
    if (lives[0] === feed) return
    if (lives.includes(feed)) throw new ChatError('RPC_INVALID', { message: 'The store has begun another feed since' })
    this.#lives.set(peer, [feed, ...lives].slice(0, MAX_LIVES))
    this.#present.set(peer, feed)
    this.#rows.put(KEY, metaValue(KEY, Object.fromEntries(this.#lives)))
  }
}
