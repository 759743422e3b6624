// Joins the state and the library: carries effects out, reads again when something changed, marks as read what was seen.
// Whatever fails is said on the screen; nothing here draws.
import { uuidv7 } from 'uuidv7'
import type { Chat, DeviceReport, HistoryMessage } from '../client/api.ts'
import { safeLine, safeTemplate as safe, safeText } from '../client/safe-text.ts'
import type { Clock } from '../platform/ports.ts'
import { sleep } from '../platform/timing.ts'
import { asChatError } from '../protocol/errors.ts'
import { connectionOf, Loading } from './loading.ts'
import { span } from './lines.ts'
import type { Effect, ListRow, State } from './state.ts'
import type { Store } from './store.ts'
import { seenMessage } from './timeline-view.ts'
import { shortTime } from './times.ts'

/** The countdown of a reconnection moves once a second. */
const TICK_MS = 1_000
/** How long the reason of a refusal is awaited; the message itself stays in the outbox as long as it takes. */
const SEND_TIMEOUT_MS = 24 * 3_600_000

export interface SessionPorts {
  chat: Chat
  store: Store
  clock: Clock
  signal: AbortSignal
  quit(): void
  redraw(): void
  /** Draws attention while the terminal is not looked at. */
  bell(): void
}

type Runner<T extends Effect['type']> = (effect: Extract<Effect, { type: T }>) => Promise<void> | void
type Runners = { [T in Effect['type']]: Runner<T> }

export class Session {
  readonly #ports: SessionPorts
  readonly #loading: Loading
  #lastSeen = ''
  #isMarking = false
  #shown: Pick<State, 'current' | 'anchor'> = { current: undefined, anchor: undefined }

  constructor(ports: SessionPorts) {
    this.#ports = ports
    this.#loading = new Loading(ports)
  }

  start(): void {
    const { chat, store, signal } = this.#ports
    store.onEffect((effect) => this.#do(effect))
    const stops = [chat.onChange(() => this.#loading.refresh()), store.subscribe(() => this.#follow())]
    signal.addEventListener('abort', () => stops.forEach((stop) => stop()), { once: true })
    this.#loading.refresh()
    void this.#tick()
    void this.#listen()
  }

  /** After every change of the state: another conversation or place is read, and what is seen is marked. */
  #follow(): void {
    const { current, anchor } = this.#ports.store.getState()
    if (current !== this.#shown.current || anchor !== this.#shown.anchor) {
      this.#shown = { current, anchor }
      this.#loading.refresh()
    }
    if (!this.#isMarking) void this.#markSeen()
  }

  async #markSeen(): Promise<void> {
    const { chat, store, signal } = this.#ports
    const state = store.getState()
    const conversation = state.inbox?.find(({ name }) => name === state.current)
    if (!conversation || conversation.unread === 0) return
    const upTo = seenMessage(state)
    const seen = `${conversation.name} ${upTo} ${conversation.unread}`
    if (upTo === undefined || seen === this.#lastSeen) return
    this.#lastSeen = seen
    this.#isMarking = true
    try {
      await chat.markRead(conversation.name, { upTo })
    } catch (error) {
      if (!signal.aborted) this.#complain(error)
    }
    this.#isMarking = false
    if (!signal.aborted) this.#loading.refresh()
  }

  async #tick(): Promise<void> {
    const { chat, store, clock, signal } = this.#ports
    while (!signal.aborted) {
      await sleep(clock, TICK_MS, signal)
      if (signal.aborted) return
      try {
        store.dispatch({ type: 'connection', connection: connectionOf(await chat.connection()) })
        const nowMs = clock.now()
        if (new Date(nowMs).getDate() !== new Date(store.getState().nowMs).getDate())
          store.dispatch({ type: 'ticked', nowMs })
      } catch (error) {
        if (!signal.aborted) this.#complain(error)
      }
    }
  }

  async #listen(): Promise<void> {
    const { chat, store, signal } = this.#ports
    try {
      for await (const event of chat.events({ signal })) {
        if (event.type === 'message' && event.from !== chat.user && !store.getState().isFocused) this.#ports.bell()
      }
    } catch (error) {
      if (!signal.aborted) this.#complain(error)
    }
  }

  #complain(error: unknown): void {
    const text = safeLine(asChatError(error).message, { maxLength: 300 })
    this.#ports.store.dispatch({ type: 'toast', text, style: 'problem' })
  }

  #say(text: ReturnType<typeof safeLine>): void {
    this.#ports.store.dispatch({ type: 'toast', text, style: 'dim' })
  }

  #do(effect: Effect): void {
    // The cast: the table has, for each type, the runner of exactly that effect; TypeScript cannot follow the index.
    const run = this.#runners[effect.type] as (effect: Effect) => Promise<void> | void
    void (async () => run(effect))().catch((error: unknown) => {
      if (!this.#ports.signal.aborted) this.#complain(error)
    })
  }

  readonly #runners: Runners = {
    send: async ({ conversation, text }) => await this.#send(conversation, text),
    loadOlder: async () => void (await this.#loading.loadOlder()),
    jump: async ({ conversation, id }) => {
      if (!(await this.#loading.loadTo(conversation, id))) this.#say(safe`That message is not on this device any more.`)
    },
    search: async ({ words }) => {
      const { chat, store, clock } = this.#ports
      const found = await chat.search(words, { limit: 100 })
      const rows = found.map((message) => resultRow(message, clock.now()))
      const count = rows.length === 1 ? '1 message' : `${rows.length} messages`
      store.dispatch({ type: 'list', title: `${count} with “${words}”`, rows })
    },
    block: async ({ user }) => {
      await this.#ports.chat.block(user)
      this.#say(safe`${safeLine(user)} is blocked and not told; /unblock ${safeLine(user)} undoes it.`)
    },
    unblock: async ({ user }) => {
      await this.#ports.chat.unblock(user)
      this.#say(safe`${safeLine(user)} is not blocked any more.`)
    },
    devices: async () => {
      const rows = (await this.#ports.chat.devices()).map(deviceRow)
      this.#ports.store.dispatch({ type: 'list', title: 'Your devices', rows })
    },
    verify: async ({ user }) => {
      const found = await this.#ports.chat.fingerprints(user)
      const rows = found.map(({ device, fingerprint }) => fingerprintRow(device, fingerprint))
      this.#ports.store.dispatch({ type: 'list', title: `Devices of ${user}: compare with what ${user} sees`, rows })
    },
    link: async ({ code }) => {
      const { device } = await this.#ports.chat.approveLink(code)
      this.#say(safe`The device ${safeLine(device)} is yours now.`)
    },
    redraw: () => this.#ports.redraw(),
    quit: () => this.#ports.quit(),
  }

  async #send(conversation: string, text: string): Promise<void> {
    const { chat, store, clock, signal } = this.#ports
    const id = uuidv7()
    const message = {
      id,
      from: safeLine(chat.user),
      isOwn: true,
      atMs: clock.now(),
      text: safeText(text),
      status: 'sending',
    } as const
    store.dispatch({ type: 'pending', pending: { conversation, message } })
    try {
      await chat.send(conversation, text, { id, wait: 'stored', timeoutMs: SEND_TIMEOUT_MS, signal })
    } catch (error) {
      const { code, message: reason } = asChatError(error)
      // Late is not lost: it is in the outbox, and the history says how it stands. What is in the history beats what is said here.
      if (signal.aborted || code === 'TIMEOUT') return
      store.dispatch({ type: 'sendFailed', id, problem: safeLine(reason, { maxLength: 300 }) })
    } finally {
      if (!signal.aborted) this.#loading.refresh()
    }
  }
}

const resultRow = (message: HistoryMessage, nowMs: number): ListRow => ({
  line: [
    span(safe`${shortTime(Date.parse(message.at), nowMs)} `, 'dim'),
    span(safeLine(message.from), 'name'),
    span(safe` in ${safeLine(message.conversation)}: `, 'dim'),
    span(safeLine(message.text, { maxLength: 200 })),
  ],
  opens: { conversation: message.conversation, id: message.id },
})

const deviceRow = (device: DeviceReport): ListRow => {
  const state = device.revoked ? safe` revoked` : device.current ? safe` this one` : safe``
  const [since, expires] = [safeLine(device.since.slice(0, 10)), safeLine(device.expires.slice(0, 10))]
  return {
    line: [
      span(safeLine(device.device), 'name'),
      span(state, 'unread'),
      span(safe` since ${since}, until ${expires}`, 'dim'),
    ],
  }
}

const fingerprintRow = (device: string, fingerprint: string): ListRow => ({
  line: [span(safe`${safeLine(device)}  `, 'name'), span(safeLine(fingerprint))],
})
