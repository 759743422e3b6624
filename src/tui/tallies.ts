// How far own messages got in a group: asked of the library for the newest of a page, and not again once everybody has read them.
import type { Chat, HistoryMessage } from '../client/api.ts'
import { isGroupName } from '../protocol/names.ts'
import type { Tally } from './messages.ts'

/** More than fit on a screen are not asked about. */
const MAX_ASKED = 40
const MAX_KEPT = 2_000

export class Tallies {
  readonly #chat: Chat
  readonly #whole = new Map<string, Tally>()

  constructor(chat: Chat) {
    this.#chat = chat
  }

  /** By message id; nothing for direct conversations. */
  async of(conversation: string, page: readonly HistoryMessage[]): Promise<ReadonlyMap<string, Tally>> {
    const { user } = this.#chat
    if (!isGroupName(conversation)) return new Map()
    const own = page.filter(({ from, status }) => from === user && (status === 'stored' || status === 'received'))
    const asked = own.slice(-MAX_ASKED).map(async ({ id }) => [id, await this.#tally(id)] as const)
    return new Map(await Promise.all(asked))
  }

  async #tally(id: string): Promise<Tally> {
    const known = this.#whole.get(id)
    if (known) return known
    const { recipients } = await this.#chat.status(id)
    const received = recipients.filter(({ receivedAt }) => receivedAt !== null).length
    const read = recipients.filter(({ readAt }) => readAt !== null).length
    const tally = { received, read, of: recipients.length }
    if (read === recipients.length) {
      if (this.#whole.size >= MAX_KEPT) this.#whole.clear()
      this.#whole.set(id, tally)
    }
    return tally
  }
}
