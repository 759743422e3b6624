// The device's place in the feed of each home. A cursor moves by pages only, and only once everything of the page has been dealt
// with: it is then written in the batch of that same turn. What no push brought within 100 ms is fetched.
import { asBuffer, fromBase64, fromUtf8, toBase64, toMapKey, toUtf8 } from '../protocol/bytes.ts'
import type { GatewayFrame } from '../protocol/frames.ts'
import { limits } from '../protocol/limits.ts'
import { splitKeys } from '../protocol/records.ts'
import { mutant } from '../platform/mutants.ts'
import type { Clock, Logger } from '../platform/ports.ts'
import type { Ingest } from './ingest.ts'
import { keys, ranges, textOfKey } from './keys.ts'
import type { LocalStore } from './local-store.ts'
import type { FrameHandlers, Session } from './session.ts'

const RETRY_MS = 1_000
const REOPEN_MS = 100

export interface Cursor {
  feed: string
  number: number
}
type PageFrame = GatewayFrame<'feed.page'>
interface Page {
  feed: string
  from: number
  to: number
  /** What was not dealt with yet when last looked. */
  lacking: Buffer[]
}
interface Home {
  feed: string
  /** Pages of this session in the order of their coming. */
  pages: Page[]
  head: number
}

/** Frames.ts, feed.page: may the cursor follow this page? */
export const isNextPage = (cursor: Cursor | undefined, page: { feed: string; from: number }): boolean =>
  cursor?.feed === page.feed ? page.from <= cursor.number : page.from === 0

export interface FeedOptions {
  store: LocalStore
  clock: Clock
  log: Logger
  ingest: Ingest
  onChange: () => void
}

export class Feed {
  readonly #options: FeedOptions
  readonly #cursors = new Map<string, Cursor>()
  readonly #homes = new Map<string, Home>()
  /** Keys that some home has been asked for and has not answered yet. */
  readonly #asked = new Set<string>()
  #session: Session | undefined
  #isOpened = false
  /** Openings asked for, and the last one that was answered. */
  #asking = 0
  #answered = 0
  #isAsking = false
  #wantsAnother = false
  #isReopening = false
  #isComplete = false

  constructor(options: FeedOptions) {
    this.#options = options
  }

  async load(): Promise<void> {
    for (const [key, value] of await this.#options.store.range(ranges.cursors())) {
      this.#cursors.set(textOfKey(key), JSON.parse(fromUtf8(value)) as Cursor) // written by #move
    }
  }

  readonly handlers: FrameHandlers = {
    'record.push': ({ records }) => {
      if (mutant('cursor-moved-by-push')) this.#moveAllBy(records.length)
      this.#options.ingest.accept(records)
    },
    'feed.page': (page) => this.#onPage(page),
    'feed.slow': () => this.#reopenSoon(),
    'feed.changed': () => this.#reopenSoon(),
  }

  /** True when the homes in use are enough that nothing stored can be missing. */
  get isComplete(): boolean {
    return this.#isComplete
  }

  /** Everything that enough homes had when the feed was opened, and what they told since, is on disk. */
  get isCaughtUp(): boolean {
    if (!this.#isOpened || !this.#isComplete || !this.#options.ingest.isIdle) return false
    return [...this.#homes].every(([home, { feed, head, pages }]) => {
      const cursor = this.#cursors.get(home)
      return pages.length === 0 && (head === 0 || (cursor?.feed === feed && cursor.number >= head))
    })
  }

  /**
   * A fresh look at the heads of the homes: what the feed knows may be old, as when the gateway died unnoticed. The returned
   * function says when the answer to a question that was asked after this call is there.
   */
  refresh(): () => boolean {
    const wanted = this.#asking + 1
    if (this.#isAsking) this.#wantsAnother = true
    else if (this.#session && !this.#session.isOver) void this.open(this.#session)
    return () => this.#isOpened && this.#answered >= wanted
  }

  async open(session: Session): Promise<void> {
    const opening = ++this.#asking
    this.#isAsking = true
    this.#session = session
    this.#isOpened = false
    this.#homes.clear()
    this.#asked.clear()
    try {
      const opened = await session.request('feed.open', { cursors: Object.fromEntries(this.#cursors) }, 'feed.opened')
      for (const { home, feed, head } of opened.homes) {
        const known = this.#homes.get(home)
        if (known) known.head = Math.max(known.head, head)
        else this.#homes.set(home, { feed, pages: [], head })
      }
      this.#isAsking = false
      this.#isOpened = true
      this.#answered = opening
      this.#isComplete = opened.complete
      this.#options.onChange()
      if (this.#wantsAnother) this.#reopenSoon(0)
    } catch (error) {
      this.#isAsking = false
      this.#options.log.debug({ error: String(error) }, 'feed.open')
      if (session === this.#session && !session.isOver) this.#reopenSoon(RETRY_MS)
    }
  }

  closed(): void {
    this.#session = undefined
    this.#isOpened = false
    this.#isComplete = false
  }

  /** Moves the cursors over all pages that are dealt with; what it writes joins the batch of this turn. */
  advance(): void {
    for (const [home, state] of this.#homes) {
      for (let page = state.pages[0]; page && this.#isDone(page); page = state.pages[0]) {
        state.pages.shift()
        this.#move(home, page)
      }
    }
  }

  #onPage(frame: PageFrame): void {
    const { ingest, clock } = this.#options
    const page: Page = { feed: frame.feed, from: frame.from, to: frame.to, lacking: splitKeys(fromBase64(frame.keys)) }
    const isFirstSight = page.from === 0 && !this.#cursors.has(frame.home)
    const home = this.#homeOf(frame)
    home.pages.push(page)
    home.head = Math.max(home.head, frame.head)
    if (mutant('cursor-before-persist')) this.#move(frame.home, page)
    if (frame.records) ingest.accept(frame.records)
    this.advance()
    if (page.lacking.length === 0) return this.#options.onChange()
    const session = this.#session
    clock.after(isFirstSight ? 0 : limits.noticeFetchMs, () => {
      if (session && session === this.#session) void this.#fetch(frame.home, page, session)
    })
  }

  #homeOf({ home, feed }: PageFrame): Home {
    const known = this.#homes.get(home)
    if (known && known.feed === feed) return known
    const made: Home = { feed, pages: [], head: 0 }
    this.#homes.set(home, made)
    return made
  }

  #isDone(page: Page): boolean {
    const ingest = this.#options.ingest
    let settled = 0
    for (let key = page.lacking[0]; key && ingest.isSettled(key); key = page.lacking[settled]) settled += 1
    if (settled > 0) page.lacking = page.lacking.slice(settled)
    return page.lacking.length === 0
  }

  #move(home: string, page: { feed: string; from: number; to: number }): void {
    const cursor = this.#cursors.get(home)
    if (!isNextPage(cursor, page)) return this.#reopenSoon()
    if (cursor?.feed === page.feed && cursor.number >= page.to) return
    this.#set(home, { feed: page.feed, number: page.to })
  }

  #set(home: string, cursor: Cursor): void {
    this.#cursors.set(home, cursor)
    this.#options.store.put(keys.cursor(home), toUtf8(JSON.stringify(cursor)))
  }

  #moveAllBy(count: number): void {
    for (const [home, { feed, number }] of this.#cursors) {
      this.#set(home, { feed, number: Math.max(number, this.#homes.get(home)?.head ?? 0) + count })
    }
  }

  /** Asks this home for what still lacks of its page, until nothing does. */
  async #fetch(home: string, page: Page, session: Session): Promise<void> {
    const { ingest, clock, log } = this.#options
    // A page of a feed that was opened again since comes again.
    const isCurrent = (): boolean => this.#homes.get(home)?.pages.includes(page) === true
    while (!session.isOver && session === this.#session && isCurrent() && !this.#isDone(page)) {
      const wanted = page.lacking
        .filter((key) => !ingest.has(key) && !this.#asked.has(toMapKey(key)))
        .slice(0, limits.maxFetchKeys)
      const mapKeys = wanted.map(toMapKey)
      for (const key of mapKeys) this.#asked.add(key)
      try {
        const progress = wanted.length > 0 && (await this.#ask(home, wanted, { session, page }))
        if (progress) continue
      } catch (error) {
        log.debug({ home, error: String(error) }, 'feed.fetch')
      } finally {
        for (const key of mapKeys) this.#asked.delete(key)
      }
      await new Promise<void>((resolve) => clock.after(wanted.length > 0 ? RETRY_MS : limits.noticeFetchMs, resolve))
    }
    if (session !== this.#session) return
    this.advance()
    this.#options.onChange()
  }

  /** True when the answer held anything. */
  async #ask(home: string, wanted: Buffer[], { session, page }: { session: Session; page: Page }): Promise<boolean> {
    const reply = await session.request('feed.fetch', { home, keys: toBase64(Buffer.concat(wanted)) }, 'feed.records')
    this.#options.ingest.accept(reply.records)
    const missing = new Set(splitKeys(fromBase64(reply.missing)).map(toMapKey))
    // Only this home says so, hence only its own page goes on without them.
    if (missing.size > 0) page.lacking = page.lacking.filter((key) => !missing.has(toMapKey(asBuffer(key))))
    return reply.records.length > 0 || missing.size > 0
  }

  #reopenSoon(afterMs = REOPEN_MS): void {
    const session = this.#session
    if (this.#isReopening || !session) return
    this.#isReopening = true
    this.#options.clock.after(afterMs, () => {
      this.#isReopening = false
      this.#wantsAnother = false
      if (session === this.#session && !session.isOver) void this.open(session)
    })
  }
}
