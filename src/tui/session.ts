// Joins the state and the library: reads again when something changed, marks as read what was seen, listens for what is new.
// Whatever fails is said on the screen; nothing here draws.
import type { GroupEvent } from '../client/api.ts'
import { isGroupName } from '../protocol/names.ts'
import { sleep } from '../platform/timing.ts'
import { arrivalOf, type Notification } from './attention.ts'
import { type EffectPorts, sayError } from './effect-tools.ts'
import { Effects } from './effects.ts'
import { Fading } from './fading.ts'
import { groupNews } from './group-news.ts'
import { Live } from './live.ts'
import { connectionOf, Loading } from './loading.ts'
import { Notifier } from './notifier.ts'
import type { Conversation, State } from './state.ts'
import { Thumbnails } from './thumbnails.ts'
import { Viewer, type ViewerPorts } from './viewer.ts'
import { seenMessage } from './timeline-view.ts'

/** The countdown of a reconnection moves once a second. */
const TICK_MS = 1_000
/** What is new is listened for again after a failure, as of an owner of the profile that crashed twice. */
const LISTEN_AGAIN_MS = 1_000

export interface SessionPorts extends EffectPorts, Pick<ViewerPorts, 'askGraphics'> {
  /** Typing and presence are told of and shown. */
  isLive: boolean
  /** Pictures can be drawn. */
  hasColours: boolean
  /** Draws attention while the terminal is not looked at. */
  notify: (notification: Notification) => void
}

export class Session {
  readonly #ports: SessionPorts
  readonly #loading: Loading
  readonly #notifier: Notifier
  readonly #fading: Fading
  readonly #live: Live | undefined
  readonly #thumbnails: Thumbnails | undefined
  readonly #viewer: Viewer
  #lastSeen = ''
  #isMarking = false
  #shown: Pick<State, 'current' | 'anchor'> = { current: undefined, anchor: undefined }

  constructor(ports: SessionPorts) {
    this.#ports = ports
    this.#loading = new Loading(ports)
    this.#notifier = new Notifier(ports)
    this.#fading = new Fading(ports)
    this.#live = ports.isLive ? new Live(ports) : undefined
    this.#viewer = new Viewer(ports)
    this.#thumbnails = ports.hasColours ? new Thumbnails(ports) : undefined
  }

  start(): void {
    const { chat, store, signal } = this.#ports
    const effects = new Effects(this.#ports, this.#loading)
    store.onEffect((effect) => effects.run(effect))
    const stops = [chat.onChange(() => this.#loading.refresh()), store.subscribe(() => this.#follow())]
    signal.addEventListener('abort', () => stops.forEach((stop) => stop()), { once: true })
    this.#loading.refresh()
    void this.#tick()
    void this.#listen()
  }

  /** After every change of the state: another conversation or place is read, and what is seen is marked. */
  #follow(): void {
    const { current, anchor, isFocused } = this.#ports.store.getState()
    if (isFocused) this.#notifier.drop()
    this.#fading.follow()
    if (current !== this.#shown.current || anchor !== this.#shown.anchor) {
      this.#shown = { current, anchor }
      this.#loading.refresh()
    }
    if (!this.#isMarking) void this.#markSeen()
    this.#live?.follow()
    this.#thumbnails?.follow()
    this.#viewer.follow()
  }

  async #markSeen(): Promise<void> {
    const { chat, store, signal } = this.#ports
    const state = store.getState()
    const conversation = state.inbox?.find(({ name }) => name === state.current)
    if (!conversation) return
    if (conversation.unread === 0) return this.#takeMarkAway(state, conversation)
    const upTo = seenMessage(state)
    const seen = `${conversation.name} ${upTo} ${conversation.unread}`
    if (upTo === undefined || seen === this.#lastSeen) return
    this.#lastSeen = seen
    this.#isMarking = true
    try {
      await chat.markRead(conversation.name, { upTo })
      if (!signal.aborted) this.#loading.refresh()
    } catch (error) {
      // Tried again at the next change of the state, whatever it is.
      this.#lastSeen = ''
      if (!signal.aborted) sayError(this.#ports, error)
    }
    this.#isMarking = false
  }

  /** Whoever opens what was marked by hand has come back to it. */
  async #takeMarkAway(state: State, { name, isMarked }: Conversation): Promise<void> {
    const { chat, signal } = this.#ports
    if (!isMarked || state.isHeldUnread || !state.isFocused || state.overlay) return
    this.#isMarking = true
    await chat.markRead(name).catch((error: unknown) => {
      if (!signal.aborted) sayError(this.#ports, error)
    })
    this.#isMarking = false
  }

  async #tick(): Promise<void> {
    const { chat, store, clock, signal } = this.#ports
    while (!signal.aborted) {
      await sleep(clock, TICK_MS, signal)
      if (signal.aborted) return
      try {
        const [report, transfers] = await Promise.all([chat.connection(), chat.transfers()])
        store.dispatch({ type: 'connection', connection: connectionOf(report, transfers) })
        const nowMs = clock.now()
        if (new Date(nowMs).getDate() !== new Date(store.getState().nowMs).getDate())
          store.dispatch({ type: 'ticked', nowMs })
      } catch (error) {
        if (!signal.aborted) sayError(this.#ports, error)
      }
    }
  }

  async #tellOfGroup(event: GroupEvent): Promise<void> {
    const { chat, store } = this.#ports
    const { current } = store.getState()
    // In the open conversation it is a line.
    if (event.by !== chat.user && event.group !== current) {
      store.dispatch({ type: 'toast', text: groupNews(event, chat.user), style: 'dim' })
    }
    this.#loading.refresh()
    if (event.change !== 'rename' || !isGroupName(current)) return
    // Which of the groups it was is seen by who is not there any more.
    const isGone = !(await chat.inbox()).some(({ conversation }) => conversation === current)
    if (isGone) store.dispatch({ type: 'renamed', from: current, to: event.group })
  }

  async #listen(): Promise<void> {
    const { chat, store, clock, signal } = this.#ports
    let from: { after?: number } = {}
    while (!signal.aborted) {
      try {
        for await (const event of chat.events({ ...from, signal })) {
          from = { after: event.position }
          if (event.type === 'group') await this.#tellOfGroup(event)
          const arrival = arrivalOf(store.getState(), event)
          if (arrival) this.#notifier.add(arrival)
        }
        return
      } catch (error) {
        if (!signal.aborted) sayError(this.#ports, error)
        await sleep(clock, LISTEN_AGAIN_MS, signal)
      }
    }
  }
}
