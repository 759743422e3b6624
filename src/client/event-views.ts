// What listeners are told, from the log of events: each as programs see it, without what is not shown any more. Reads only.
import { referenceOf } from '../protocol/reference.ts'
import type { ChatEvent } from './api.ts'
import type { ChatState } from './chat-state.ts'
import type { LoggedEvent } from './event-log.ts'
import { contentOf, type HeldMessage } from './held-records.ts'
import { showMessage, timestamp } from './message-view.ts'

const EVENTS_PAGE = 500

export class EventViews {
  readonly #state: ChatState

  constructor(state: ChatState) {
    this.#state = state
  }

  async *follow(from: number, signal: AbortSignal): AsyncGenerator<ChatEvent, void, undefined> {
    let after = from
    while (!signal.aborted) {
      const logged = await this.#state.events.read(after, EVENTS_PAGE)
      for (const entry of logged) {
        if (signal.aborted) return
        after = entry.position
        const event = this.#event(entry)
        if (event) yield event
      }
      if (logged.length === 0) await this.#state.events.next(after, signal)
    }
  }

  /** undefined for what is not shown any more. */
  #event(entry: LoggedEvent): ChatEvent | undefined {
    const { position } = entry
    if ('receipt' in entry) return { type: 'receipt', ...entry.receipt, at: timestamp(entry.receipt.at), position }
    if ('group' in entry) {
      const { group, at, ...change } = entry.group
      return { type: 'group', group: this.#nameOf(group), ...change, at: timestamp(at), position }
    }
    if ('deletion' in entry) {
      const { id, conv, by, at } = entry.deletion
      return { type: 'delete', id, conversation: this.#nameOf(conv), by, at: timestamp(at), position }
    }
    const isReference = 'reference' in entry
    const message = this.#state.records.message(isReference ? entry.reference : entry.message)
    if (!message || message.isDeleted || this.#state.settings.isBlocked(message.header.from)) return undefined
    return isReference ? this.#referenceEvent(message, position) : { ...showMessage(message, this.#nameOf), position }
  }

  /** undefined when what it was about is deleted. */
  #referenceEvent(message: HeldMessage, position: number): ChatEvent | undefined {
    const { records } = this.#state
    const { from, conv, at } = message.header
    const reference = referenceOf(contentOf(message))
    if (!reference || reference.kind === 'none') return undefined
    const { id } = reference
    const target = records.keyOf(id, reference.kind === 'edit' ? from : reference.author)
    if (!target || records.message(target)?.isDeleted !== false) return undefined
    const conversation = this.#nameOf(conv)
    const about = { id, conversation, from, at: timestamp(message.acceptedAt || at), position }
    if (reference.kind === 'edit') return { type: 'edit', ...about, text: reference.text }
    return { type: 'reaction', ...about, emoji: reference.emoji, active: reference.isActive }
  }

  readonly #nameOf = (conversation: string): string => this.#state.nameOf(conversation)
}
