// Full-text search over the history of this device. The index is built on the first search, in slices, and follows what comes after.
import MiniSearch from 'minisearch'
import { compareOrder } from '../protocol/records.ts'
import type { ChatState } from './chat-state.ts'
import { contentOf, type HeldMessage } from './held-records.ts'
import { toHex } from '../protocol/bytes.ts'

const PAGE = 500

interface Entry {
  /** Record key in hex. */
  id: string
  text: string
  conversation: string
}

export class SearchIndex {
  readonly #state: ChatState
  readonly #index = new MiniSearch<Entry>({
    fields: ['text'],
    storeFields: ['conversation'],
    searchOptions: { combineWith: 'AND', prefix: true },
  })
  /** Keys, in hex, of what is in the index and was edited or deleted since. */
  readonly #stale = new Set<string>()
  #running: Promise<void> = Promise.resolve()

  constructor(state: ChatState) {
    this.#state = state
    state.onLineChanged = (key) => {
      const id = toHex(key)
      if (this.#index.has(id)) this.#stale.add(id)
    }
  }

  /** The newest messages that have all the words (or words that begin so), oldest first. */
  async find(words: string, { limit, inside }: { limit: number; inside?: string }): Promise<HeldMessage[]> {
    // One that failed, for whatever reason, is no reason to fail the next.
    this.#running = this.#running.catch(() => {}).then(() => this.#update())
    await this.#running
    const found = this.#index
      .search(words, inside === undefined ? {} : { filter: ({ conversation }) => conversation === inside })
      .map(({ id }) => this.#state.records.message(Buffer.from(String(id), 'hex')))
      .filter((message) => message !== undefined && !this.#state.settings.isBlocked(message.header.from))
    return (found as HeldMessage[]).sort((a, b) => compareOrder(a.header, b.header)).slice(-limit) // filtered just above
  }

  /** Adds what is not in it yet: from the newest back to the first page that is wholly known. */
  async #update(): Promise<void> {
    for (const id of this.#stale) this.#refresh(id)
    this.#stale.clear()
    for (const { id } of this.#state.conversations.all()) {
      let before: HeldMessage | undefined
      for (;;) {
        const page = await this.#state.pages.messages(id, PAGE, before?.header)
        const fresh = page.filter(({ key }) => !this.#index.has(toHex(key)))
        this.#index.addAll(fresh.filter(({ isDeleted }) => !isDeleted).map((message) => this.#entryOf(message)))
        before = page[0]
        if (page.length < PAGE || fresh.length === 0) break
      }
    }
  }

  #refresh(id: string): void {
    this.#index.discard(id)
    const message = this.#state.records.message(Buffer.from(id, 'hex'))
    if (message && !message.isDeleted) this.#index.add(this.#entryOf(message))
  }

  #entryOf(message: HeldMessage): Entry {
    const text = this.#state.references.of(message).text ?? contentOf(message).text
    return { id: toHex(message.key), text, conversation: message.header.conv }
  }
}
