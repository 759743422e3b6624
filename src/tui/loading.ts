// Reads what the screen shows from the library: inbox, connection, the newest page of the open conversation.
// Changes are coalesced: one reading at a time, one more when something changed meanwhile, never more often than it pays (pace.ts).
import type { Chat, ConnectionReport, HistoryLine, InboxEntry, Transfer } from '../client/api.ts'
import { type SafeText, safeLine, safeTemplate as safe } from '../client/safe-text.ts'
import { hasCode } from '../protocol/errors.ts'
import type { Clock, Logger } from '../platform/ports.ts'
import { sleep } from '../platform/timing.ts'
import { joinText } from './cells.ts'
import { sayError } from './effect-tools.ts'
import { indexOfId, timelineGap, timelineChange, type TimelineMessage, timelineMessage } from './messages.ts'
import { Pace } from './pace.ts'
import type { Connection, Conversation, Rule, State } from './state.ts'
import type { Store } from './store.ts'
import { Tallies } from './tallies.ts'
import type { TimelineAction } from './timeline-reduce.ts'
import { windowOf } from './timeline-view.ts'

const PAGE = 100
/** So many of the newest are read again when something changed, and as many as may be on the screen. */
const MIN_RENEWED = 40
const renewedSize = ({ size }: State): number => Math.max(MIN_RENEWED, size.rows)
/** Around a message that is jumped to. */
const AROUND = 150
/** The unread rule is sought in this many messages at most. */
const MAX_FIRST_PAGE = 1_000

export interface LoadingPorts {
  chat: Chat
  store: Store
  clock: Clock
  log: Logger
  signal: AbortSignal
}

type TimelineNews = Extract<TimelineAction, { type: 'timeline' }>

/** Files move while there is a gateway, and are not even read without one. */
const transferText = ({ name, sent, size, isPrepared }: Transfer, isOnline: boolean): SafeText => {
  if (!isOnline) return safe`${safeLine(name, { maxLength: 24 })} waits`
  const percent = size === 0 ? 100 : Math.floor((100 * sent) / size)
  return safe`${isPrepared ? safe`sending` : safe`reading`} ${safeLine(name, { maxLength: 24 })} ${percent} %`
}

export const connectionOf = (report: ConnectionReport, transfers: readonly Transfer[]): Connection => ({
  transfers:
    transfers.length === 0
      ? undefined
      : joinText(
          transfers.slice(0, 2).map((transfer) => transferText(transfer, report.state === 'online')),
          ' ',
        ),
  state: report.state,
  gateway: report.gateway === null ? undefined : safeLine(report.gateway, { maxLength: 60 }),
  retryInMs: report.retryInMs ?? undefined,
  queued: report.queued,
  isComplete: report.complete,
  lagMs: report.lagMs === null ? undefined : Math.round(report.lagMs),
  ...(report.denied ? { denied: safeLine(report.denied.message, { maxLength: 120 }) } : {}),
  problem: report.problem === null ? undefined : safeLine(report.problem, { maxLength: 120 }),
})

const conversationOf = (entry: InboxEntry, user: string): Conversation => ({
  name: entry.conversation,
  title: safeLine(entry.conversation, { maxLength: 64 }),
  ...(entry.topic === undefined ? {} : { topic: safeLine(entry.topic) }),
  ...(entry.disputedBy ? { disputedBy: safeLine(entry.disputedBy.join(', '), { maxLength: 60 }) } : {}),
  ...(entry.blocked ? { isBlocked: true } : {}),
  unread: entry.unread,
  firstUnread: entry.firstUnread ?? undefined,
  activeAtMs: entry.activeAt === null ? 0 : Date.parse(entry.activeAt),
  mentions: entry.mentions,
  isMarked: entry.marked,
  level: entry.level,
  last: entry.last ? timelineMessage(entry.last, user) : undefined,
})

const byNewest = (a: Conversation, b: Conversation): number => b.activeAtMs - a.activeAtMs

export class Loading {
  readonly #ports: LoadingPorts
  readonly #tallies: Tallies
  readonly #pace = new Pace()
  #isWanted = false
  #isRunning = false

  constructor(ports: LoadingPorts) {
    this.#ports = ports
    this.#tallies = new Tallies(ports.chat)
  }

  /** Something changed: the screen is read again soon. */
  refresh(): void {
    this.#isWanted = true
    if (!this.#isRunning) void this.#run()
  }

  async #run(): Promise<void> {
    const { clock, signal } = this.#ports
    this.#isRunning = true
    while (this.#isWanted && !signal.aborted) {
      this.#isWanted = false
      const startedAt = clock.monotonic()
      await this.#guarded(() => this.#readAll())
      await sleep(clock, this.#pace.pauseAfter({ startedAt, endedAt: clock.monotonic() }), signal)
    }
    this.#isRunning = false
  }

  async #guarded(work: () => Promise<void>): Promise<void> {
    const { signal } = this.#ports
    try {
      await work()
    } catch (error) {
      if (!signal.aborted) sayError(this.#ports, error)
    }
  }

  async #readAll(): Promise<void> {
    const { chat, store, signal } = this.#ports
    const { current, timeline } = store.getState()
    // A conversation that was just opened does not wait for the list of all.
    if (current !== undefined && timeline === undefined) await this.#readTimeline()
    // Together, and told in one turn: what a change brings is one frame.
    const [entries, report, transfers, strange, news] = await Promise.all([
      chat.inbox(),
      chat.connection(),
      chat.transfers(),
      chat.unverified(),
      this.#newest(),
    ])
    if (signal.aborted) return
    const conversations = entries.map((entry) => conversationOf(entry, chat.user)).sort(byNewest)
    store.dispatch({ type: 'connection', connection: connectionOf(report, transfers) })
    store.dispatch({ type: 'inbox', conversations })
    store.dispatch({ type: 'unverified', users: strange.map(({ user }) => safeLine(user)) })
    if (news) store.dispatch(news)
    if (news?.conversation !== store.getState().current) await this.#readTimeline()
    await this.#renewSeen()
  }

  /** Of the conversation that is on the screen. */
  async #newest(): Promise<TimelineNews | undefined> {
    const state = this.#ports.store.getState()
    const { current } = state
    return current !== undefined && state.timeline?.conversation === current
      ? this.#page(current, renewedSize(state))
      : undefined
  }

  async #page(conversation: string, limit: number): Promise<TimelineNews> {
    const { chat } = this.#ports
    const [page, gaps] = await Promise.all([chat.lines(conversation, { limit }), chat.gaps(conversation)])
    const messages = await this.#messages(conversation, page)
    return { type: 'timeline', conversation, messages, gaps: gaps.map(timelineGap), hasStart: page.length < limit }
  }

  async #readTimeline(): Promise<void> {
    const { store, signal } = this.#ports
    const state = store.getState()
    const conversation = state.current
    if (conversation === undefined) return
    if (state.timeline?.conversation !== conversation && (await this.#loadFarUnread(state, conversation))) return
    const page = await this.#page(conversation, this.#pageSize(state, conversation))
    if (!signal.aborted) store.dispatch(page)
  }

  /** So many are unread that the newest page does not hold the first: what is around it is read; answers whether it was. */
  async #loadFarUnread(state: State, conversation: string): Promise<boolean> {
    const { unread = 0, firstUnread } = state.inbox?.find(({ name }) => name === conversation) ?? {}
    if (unread + PAGE <= MAX_FIRST_PAGE || firstUnread === undefined) return false
    return this.#loadAround(conversation, { id: firstUnread, words: 'unread' })
  }

  /** Enough to meet what is loaded; for the first page, enough to hold the unread ones. */
  #pageSize(state: State, conversation: string): number {
    if (state.timeline?.conversation === conversation) return renewedSize(state)
    const unread = state.inbox?.find(({ name }) => name === conversation)?.unread ?? 0
    return Math.min(MAX_FIRST_PAGE, PAGE + unread)
  }

  /** Whoever is scrolled up sees states change too: what is on the screen is read again when the newest page does not hold it. */
  async #renewSeen(): Promise<void> {
    const { chat, store, signal } = this.#ports
    const state = store.getState()
    const { timeline } = state
    if (!state.anchor || !timeline) return
    const { first, last } = windowOf(state)
    const before = timeline.messages[last + 1]?.id
    if (before === undefined || (timeline.hasEnd && first >= timeline.messages.length - renewedSize(state))) return
    const { conversation } = timeline
    const page = await chat.lines(conversation, { before, limit: last - first + 1 })
    const messages = await this.#messages(conversation, page)
    if (!signal.aborted) store.dispatch({ type: 'renewed', conversation, messages })
  }

  async #messages(conversation: string, page: readonly HistoryLine[]): Promise<TimelineMessage[]> {
    const { chat } = this.#ports
    const tallies = await this.#tallies.of(
      conversation,
      page.filter((line) => line.type === 'message'),
    )
    return page.map((line) => {
      if (line.type === 'group') return timelineChange(line, chat.user)
      const shown = timelineMessage(line, chat.user)
      const tally = tallies.get(shown.id)
      return tally ? { ...shown, tally } : shown
    })
  }

  /** One page more, before what is loaded or behind it. */
  async loadMore(type: 'older' | 'newer'): Promise<void> {
    const { chat, store, signal } = this.#ports
    const { timeline } = store.getState()
    if (!timeline || timeline.isLoading || (type === 'older' ? timeline.hasStart : timeline.hasEnd)) return
    const { conversation, messages } = timeline
    const [from, limit] = [messages.at(type === 'older' ? 0 : -1)?.id, PAGE * 2]
    if (from === undefined) return
    store.dispatch({ type: 'loading', isLoading: true })
    try {
      const page = await chat.lines(conversation, { limit, [type === 'older' ? 'before' : 'after']: from })
      const more = await this.#messages(conversation, page)
      if (signal.aborted) return
      store.dispatch({ type, conversation, messages: more, isLast: page.length < limit })
    } catch (error) {
      store.dispatch({ type: 'loading', isLoading: false })
      throw error
    }
  }

  /** The newest page in place of a part of the past. */
  async loadEnd(): Promise<void> {
    const { chat, store, signal } = this.#ports
    const conversation = store.getState().current
    if (conversation === undefined) return
    const page = await chat.lines(conversation, { limit: PAGE })
    const messages = await this.#messages(conversation, page)
    if (signal.aborted) return
    store.dispatch({ type: 'part', conversation, messages, hasStart: page.length < PAGE, hasEnd: true })
  }

  /** Shows a message, with what is around it when it is not loaded, and opens its conversation; answers whether it was found. */
  async loadTo(conversation: string, id: string, words: Rule['words'] = 'found'): Promise<boolean> {
    const { store } = this.#ports
    if (store.getState().current !== conversation) return this.#loadAround(conversation, { id, words }, true)
    await this.#readTimeline()
    const { timeline } = store.getState()
    if (timeline?.conversation !== conversation) return false
    if (indexOfId(timeline.messages, id) < 0) return this.#loadAround(conversation, { id, words })
    store.dispatch({ type: 'show', conversation, id, words })
    return true
  }

  /** Shows the first message from that time on; answers whether there is one. */
  async loadSince(conversation: string, atMs: number): Promise<boolean> {
    const { chat } = this.#ports
    const [first] = await chat.lines(conversation, { since: new Date(atMs).toISOString(), limit: 1 })
    return first !== undefined && (await this.loadTo(conversation, first.id))
  }

  /** Answers whether it is there, and shows it. */
  async #loadAround(
    conversation: string,
    shows: { id: string; words: Rule['words'] },
    opens = false,
  ): Promise<boolean> {
    const { id } = shows
    const { chat, store, signal } = this.#ports
    try {
      const after = await chat.lines(conversation, { after: id, limit: AROUND })
      const next = after[0]?.id
      const before = await chat.lines(conversation, { ...(next ? { before: next } : {}), limit: AROUND })
      const messages = await this.#messages(conversation, [...before, ...after])
      if (signal.aborted || before.at(-1)?.id !== id) return false
      const [hasStart, hasEnd] = [before.length < AROUND, after.length < AROUND]
      store.dispatch({ type: 'part', conversation, messages, hasStart, hasEnd, shows, opens })
      return true
    } catch (error) {
      if (hasCode(error, 'MESSAGE_UNKNOWN')) return false
      throw error
    }
  }
}
