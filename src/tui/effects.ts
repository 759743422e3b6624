// Carries out what the reducer asked for (state.ts, Effect), by a table. What comes of it is said on the screen.
import { uuidv7 } from 'uuidv7'
import type { Chat, DeviceReport, HistoryMessage } from '../client/api.ts'
import { type SafeText, safeLine, safeTemplate as safe, safeText } from '../client/safe-text.ts'
import type { Clock } from '../platform/ports.ts'
import { asChatError } from '../protocol/errors.ts'
import { clipboardBytes } from './clipboard.ts'
import type { ClusterPort } from './cluster.ts'
import { ClusterWatch } from './cluster-watch.ts'
import { editText } from './editor.ts'
import { span } from './lines.ts'
import { isMention } from './mentions.ts'
import type { Loading } from './loading.ts'
import type { Effect, ListRow } from './state.ts'
import type { Store } from './store.ts'
import { shortTime } from './times.ts'

/** How long the reason of a refusal is awaited; the message itself stays in the outbox as long as it takes. */
const SEND_TIMEOUT_MS = 24 * 3_600_000
const MAX_RESULTS = 100
/** Among these the ones with the name in them are sought. */
const MAX_SEARCHED = 1_000

export interface EffectPorts {
  chat: Chat
  store: Store
  clock: Clock
  signal: AbortSignal
  quit: () => void
  redraw: () => void
  /** To the terminal, beside what is drawn. */
  write: (bytes: string) => void
  /** Where the operator's token can be read. */
  cluster: ClusterPort | undefined
  /** Gives the terminal away while `run` goes on. */
  withTerminal: (run: () => Promise<void>) => Promise<void>
}

type Runner<T extends Effect['type']> = (effect: Extract<Effect, { type: T }>) => Promise<void> | void
type Runners = { [T in Effect['type']]: Runner<T> }

export const sayError = (store: Store, error: unknown): void => {
  const text = safeLine(asChatError(error).message, { maxLength: 300 })
  store.dispatch({ type: 'toast', text, style: 'problem' })
}

export class Effects {
  readonly #ports: EffectPorts
  readonly #loading: Loading
  readonly #watching: ClusterWatch

  constructor(ports: EffectPorts, loading: Loading) {
    this.#ports = ports
    this.#watching = new ClusterWatch(ports)
    this.#loading = loading
  }

  run(effect: Effect): void {
    // The cast: the table has, for each type, the runner of exactly that effect; TypeScript cannot follow the index.
    const run = this.#runners[effect.type] as (effect: Effect) => Promise<void> | void
    void (async () => run(effect))().catch((error: unknown) => {
      if (!this.#ports.signal.aborted) sayError(this.#ports.store, error)
    })
  }

  #say(text: SafeText): void {
    this.#ports.store.dispatch({ type: 'toast', text, style: 'dim' })
  }

  readonly #runners: Runners = {
    send: async (effect) => await this.#send(effect),
    copy: ({ text }) => {
      const bytes = clipboardBytes(text, { tmux: process.env.TMUX !== undefined })
      if (bytes === undefined) return this.#say(safe`That message is too long for the clipboard of a terminal.`)
      this.#ports.write(bytes)
      this.#say(safe`Copied, where the terminal allows it.`)
    },
    loadOlder: async () => await this.#loading.loadMore('older'),
    loadNewer: async () => await this.#loading.loadMore('newer'),
    loadEnd: async () => await this.#loading.loadEnd(),
    jump: async ({ conversation, id }) => {
      if (!(await this.#loading.loadTo(conversation, id))) this.#say(safe`That message is not on this device any more.`)
    },
    search: async ({ words }) => {
      const { chat, store, clock } = this.#ports
      const found = await chat.search(words, { limit: MAX_RESULTS })
      const rows = found.map((message) => resultRow(message, clock.now()))
      const count = rows.length === 1 ? '1 message' : `${rows.length} messages`
      store.dispatch({ type: 'list', title: `${count} with “${words}”`, rows })
    },
    mentions: async () => {
      const { chat, store, clock } = this.#ports
      // The index of the library holds words; which of them are names is seen here.
      const found = await chat.search(chat.user, { limit: MAX_SEARCHED })
      const naming = found.filter(({ from, text }) => from !== chat.user && isMention(text, chat.user))
      const rows = naming.slice(0, MAX_RESULTS).map((message) => resultRow(message, clock.now()))
      store.dispatch({ type: 'list', title: `Messages that name you: ${rows.length}`, rows })
    },
    jumpToTime: async ({ conversation, atMs }) => {
      if (!(await this.#loading.loadSince(conversation, atMs))) this.#say(safe`Nothing was said there since then.`)
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
    cluster: async () => await this.#watching.start(),
    verify: async ({ user }) => {
      const found = await this.#ports.chat.fingerprints(user)
      const rows = found.map(({ device, fingerprint }) => fingerprintRow(device, fingerprint))
      this.#ports.store.dispatch({ type: 'list', title: `Devices of ${user}: compare with what ${user} sees`, rows })
    },
    link: async ({ code }) => {
      const { device } = await this.#ports.chat.approveLink(code)
      this.#say(safe`The device ${safeLine(device)} is yours now.`)
    },
    edit: async ({ conversation, text }) => {
      const { store, signal, withTerminal } = this.#ports
      await withTerminal(async () => {
        const edited = await editText(text, { env: process.env, signal })
        store.dispatch({ type: 'edited', conversation, text: edited })
      })
    },
    redraw: () => this.#ports.redraw(),
    quit: () => this.#ports.quit(),
  }

  async #send({ conversation, text, reply }: Extract<Effect, { type: 'send' }>): Promise<void> {
    const { chat, store, clock, signal } = this.#ports
    const id = uuidv7()
    const answers = reply === undefined ? {} : { reply }
    const message = {
      id,
      from: safeLine(chat.user),
      isOwn: true,
      atMs: clock.now(),
      text: safeText(text),
      status: 'sending',
      ...answers,
    } as const
    store.dispatch({ type: 'pending', pending: { conversation, message } })
    try {
      await chat.send(conversation, text, { id, wait: 'stored', timeoutMs: SEND_TIMEOUT_MS, signal, ...answers })
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
