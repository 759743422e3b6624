// The list of conversations: what is unread in each, how loud it is, and its newest message. Reads only.
import type { HistoryMessage, InboxEntry } from './api.ts'
import type { ChatState } from './chat-state.ts'
import type { Conversation, DeviceCoverage } from './conversations.ts'
import type { HeldMessage } from './held-records.ts'
import { timestamp } from './message-view.ts'
import type { Preferences } from './preferences.ts'
import { mentionsOf, unreadOf } from './reading.ts'
import { compareOrder } from '../protocol/records.ts'
import { firstFrom, without } from './sequence-ranges.ts'

export interface InboxOptions {
  state: ChatState
  preferences: Preferences
  me: string
  /** The newest line: what has not left yet comes after what has. */
  lastOf: (conversation: string, held: HeldMessage | undefined) => HistoryMessage | undefined
}

export class Inbox {
  readonly #options: InboxOptions

  constructor(options: InboxOptions) {
    this.#options = options
  }

  async entries(): Promise<InboxEntry[]> {
    const { conversations, groups } = this.#options.state
    const ids = new Set([...conversations.all().map(({ id }) => id), ...groups.mine().map(({ group }) => group)])
    const entries: { id: string; entry: InboxEntry }[] = []
    for (const id of ids) entries.push({ id, entry: await this.#entry(id) })
    return entries
      .filter(({ id, entry }) => entry.last !== null || entry.unread > 0 || groups.isMember(id))
      .map(({ entry }) => entry)
      .sort((a, b) => (b.activeAt ?? '').localeCompare(a.activeAt ?? ''))
  }

  async #entry(id: string): Promise<InboxEntry> {
    const { state, preferences, lastOf } = this.#options
    const { message, changedAt } = await state.newest.of(id)
    const last = lastOf(id, message)
    const conversation = state.conversations.get(id)
    const others = this.#othersIn(conversation)
    const unread = others.reduce((sum, [, coverage]) => sum + unreadOf(coverage), 0)
    const topic = state.groups.newest(id)?.topic
    const disputedBy = state.groups.disputedBy(id)
    const activeAt = Math.max(changedAt, last ? Date.parse(last.at) : 0)
    const name = state.nameOf(id)
    return {
      conversation: name,
      ...(state.settings.isBlocked(name) ? { blocked: true } : {}),
      ...(topic === undefined ? {} : { topic }),
      ...(disputedBy.length > 0 ? { disputedBy } : {}),
      unread,
      firstUnread: unread > 0 && conversation ? (this.#firstUnread(conversation) ?? null) : null,
      marked: state.settings.isMarkedUnread(id),
      mentions: others.reduce((sum, [, coverage]) => sum + mentionsOf(coverage), 0),
      level: preferences.levelOf(id),
      activeAt: activeAt > 0 ? timestamp(activeAt) : null,
      last: last ?? null,
    }
  }

  #othersIn(conversation: Conversation | undefined): [string, DeviceCoverage][] {
    return [...(conversation?.devices ?? [])].filter(([, { user }]) => user !== this.#options.me)
  }

  /** In the order that everybody shares: of each device the first, of those the first. */
  #firstUnread(conversation: Conversation): string | undefined {
    const { timeline, records } = this.#options.state
    const firsts = this.#othersIn(conversation).flatMap(([device, { user, held, read }]) => {
      const seq = firstFrom(without(held, read), 1)
      const id = seq === undefined ? undefined : timeline.idAt({ conversation: conversation.id, device }, seq)
      const key = id === undefined ? undefined : records.keyOf(id, user)
      const message = key && records.message(key)
      return message ? [message.header] : []
    })
    return firsts.sort(compareOrder)[0]?.id
  }
}
