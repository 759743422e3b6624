// Who is typing and who is there: told to the state as it comes, and told of this user, unless a setting says no. Nothing waits for it.
import { isUserName } from '../protocol/names.ts'
import type { EffectPorts } from './effect-tools.ts'
import { conversationsOf } from './listing.ts'
import { draftOfCurrent, type State } from './state.ts'

/** The library watches some more for all its programs together. */
const MAX_WATCHED = 100

/** Whoever writes a command tells nobody. */
const isTyping = (state: State): boolean => {
  const { text } = draftOfCurrent(state)
  return text !== '' && !/^\/(?!\/)/.test(text)
}

const watchedIn = (state: State): string[] =>
  conversationsOf(state)
    .map(({ name }) => name)
    .filter((name) => isUserName(name) && name !== state.user)
    .slice(0, MAX_WATCHED)
    .sort()

export class Live {
  readonly #ports: EffectPorts
  #watched = ''
  #reading = new AbortController()
  #shown: { conversation: string | undefined; draft: unknown; isTyping: boolean }

  constructor(ports: EffectPorts) {
    this.#ports = ports
    const state = ports.store.getState()
    this.#shown = { conversation: state.current, draft: draftOfCurrent(state), isTyping: false }
    ports.signal.addEventListener('abort', () => this.#reading.abort(), { once: true })
  }

  /** After every change of the state. */
  follow(): void {
    const state = this.#ports.store.getState()
    this.#tell(state)
    const watch = watchedIn(state)
    const key = watch.join(' ')
    if (key === this.#watched || state.inbox === undefined) return
    this.#watched = key
    this.#reading.abort()
    this.#reading = new AbortController()
    void this.#read(watch, this.#reading.signal)
  }

  async #read(watch: string[], signal: AbortSignal): Promise<void> {
    const { chat, store } = this.#ports
    try {
      for await (const event of chat.live({ watch, shown: true, signal })) {
        if (signal.aborted) return
        store.dispatch({ type: 'live', event })
      }
    } catch {
      // Of the moment: what is not heard now is not missed, and the connection says its own trouble.
    }
  }

  #tell(state: State): void {
    const draft = draftOfCurrent(state)
    const before = this.#shown
    if (draft === before.draft && state.current === before.conversation) return
    const isNow = isTyping(state)
    this.#shown = { conversation: state.current, draft, isTyping: isNow }
    if (before.isTyping && (before.conversation !== state.current || !isNow)) this.#send(before.conversation, false)
    // A draft that is only looked at is not being typed.
    if (isNow && before.conversation === state.current) this.#send(state.current, true)
  }

  #send(conversation: string | undefined, active: boolean): void {
    if (conversation !== undefined) void this.#ports.chat.typing(conversation, active).catch(() => {}) // it may be lost
  }
}
