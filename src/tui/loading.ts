// Reads what the screen shows from the library: inbox, connection, the newest page of the open conversation.
// Changes are coalesced: one reading at a time, one more when something changed meanwhile, never more often than it pays.
import type { Chat, ConnectionReport, HistoryMessage, InboxEntry } from '../client/api.ts'
import { safeLine } from '../client/safe-text.ts'
import { asChatError } from '../protocol/errors.ts'
import type { Clock } from '../platform/ports.ts'
import { sleep } from '../platform/timing.ts'
import { indexOfId, timelineGap, type TimelineMessage, timelineMessage } from './messages.ts'
import type { Connection, Conversation, State } from './state.ts'
import type { Store } from './store.ts'

const PAGE = 100
/** The unread rule is sought in this many messages at most. */
const MAX_FIRST_PAGE = 1_000
/** Between two readings, and longer when a reading takes long, so that a burst of messages leaves the loop to the keyboard. */
const PAUSE_MS = 30

export interface LoadingPorts {
  chat: Chat
  store: Store
  clock: Clock
  signal: AbortSignal
}

export const connectionOf = (report: ConnectionReport): Connection => ({
  state: report.state,
  gateway: report.gateway === null ? undefined : safeLine(report.gateway, { maxLength: 60 }),
  retryInMs: report.retryInMs ?? undefined,
  queued: report.queued,
  isComplete: report.complete,
  lagMs: report.lagMs === null ? undefined : Math.round(report.lagMs),
  problem: report.problem === null ? undefined : safeLine(report.problem, { maxLength: 120 }),
})

const conversationOf = (entry: InboxEntry, user: string): Conversation => ({
  name: entry.conversation,
  title: safeLine(entry.conversation, { maxLength: 64 }),
  unread: entry.unread,
  mentions: entry.mentions,
  last: entry.last ? timelineMessage(entry.last, user) : undefined,
})

const byNewest = (a: Conversation, b: Conversation): number => (b.last?.atMs ?? 0) - (a.last?.atMs ?? 0)

export class Loading {
  readonly #ports: LoadingPorts
  #isWanted = false
  #isRunning = false

  constructor(ports: LoadingPorts) {
    this.#ports = ports
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
      await sleep(clock, Math.max(PAUSE_MS, clock.monotonic() - startedAt), signal)
    }
    this.#isRunning = false
  }

  async #guarded(work: () => Promise<void>): Promise<void> {
    const { store, signal } = this.#ports
    try {
      await work()
    } catch (error) {
      if (signal.aborted) return
      store.dispatch({
        type: 'toast',
        text: safeLine(asChatError(error).message, { maxLength: 200 }),
        style: 'problem',
      })
    }
  }

  async #readAll(): Promise<void> {
    const { chat, store, signal } = this.#ports
    const { current, timeline } = store.getState()
    // A conversation that was just opened does not wait for the list of all.
    if (current !== undefined && timeline === undefined) await this.#readTimeline()
    const [entries, report] = await Promise.all([chat.inbox(), chat.connection()])
    if (signal.aborted) return
    const conversations = entries.map((entry) => conversationOf(entry, chat.user)).sort(byNewest)
    store.dispatch({ type: 'connection', connection: connectionOf(report) })
    store.dispatch({ type: 'inbox', conversations })
    await this.#readTimeline()
  }

  async #readTimeline(): Promise<void> {
    const { chat, store, signal } = this.#ports
    const state = store.getState()
    const conversation = state.current
    if (conversation === undefined) return
    const limit = this.#pageSize(state, conversation)
    const [page, gaps] = await Promise.all([chat.history(conversation, { limit }), chat.gaps(conversation)])
    if (signal.aborted) return
    store.dispatch({
      type: 'timeline',
      conversation,
      messages: this.#messages(page),
      gaps: gaps.map(timelineGap),
      hasStart: page.length < limit,
    })
  }

  /** Enough to meet what is loaded, to hold the unread ones, and to renew the states of what is on the screen. */
  #pageSize(state: State, conversation: string): number {
    const { timeline } = state
    if (timeline?.conversation !== conversation) {
      const unread = state.inbox?.find(({ name }) => name === conversation)?.unread ?? 0
      return Math.min(MAX_FIRST_PAGE, PAGE + unread)
    }
    const anchor = indexOfId(timeline.messages, state.anchor?.id)
    const seen = anchor < 0 ? 0 : timeline.messages.length - anchor
    return Math.min(MAX_FIRST_PAGE, PAGE + seen)
  }

  #messages(page: readonly HistoryMessage[]): TimelineMessage[] {
    const { chat, store } = this.#ports
    const { problems } = store.getState()
    return page.map((message) => {
      const shown = timelineMessage(message, chat.user)
      const problem = shown.status === 'refused' ? (shown.problem ?? problems[shown.id]) : undefined
      return problem === undefined ? shown : { ...shown, problem }
    })
  }

  /** One page before what is loaded; answers whether there was one. */
  async loadOlder(): Promise<boolean> {
    const { chat, store, signal } = this.#ports
    const { timeline } = store.getState()
    const before = timeline?.messages[0]?.id
    if (!timeline || timeline.hasStart || timeline.isLoadingOlder || before === undefined) return false
    const { conversation } = timeline
    store.dispatch({ type: 'loadingOlder', conversation })
    const limit = PAGE * 2
    const page = await chat.history(conversation, { limit, before })
    if (signal.aborted) return false
    store.dispatch({ type: 'older', conversation, messages: this.#messages(page), hasStart: page.length < limit })
    return page.length > 0
  }

  /** Loads back to a message and shows it; answers whether it was found. */
  async loadTo(conversation: string, id: string): Promise<boolean> {
    const { store } = this.#ports
    await this.#readTimeline()
    for (;;) {
      const { timeline } = store.getState()
      if (timeline?.conversation !== conversation) return false
      if (indexOfId(timeline.messages, id) >= 0) break
      if (!(await this.loadOlder())) return false
    }
    store.dispatch({ type: 'show', conversation, id })
    return true
  }
}
