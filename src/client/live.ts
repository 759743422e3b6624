// What is of the moment: who is typing, who is there. Nothing of it is stored, here or anywhere; what was lost on the way is not missed.
// Asks the gateway for what all readers together want, and lets what nobody repeats end by itself.
import type { Clock } from '../platform/ports.ts'
import { limits } from '../protocol/limits.ts'
import type { LiveEvent, LiveOptions } from './api.ts'
import { timestamp } from './message-view.ts'
import type { FrameHandlers, Session } from './session.ts'

/** Somebody who goes on typing says so again, well before it is no longer believed. */
const REPEAT_MS = limits.typingMs / 2
/** What readers want changes in bursts, as when a list is scrolled. */
const ASK_AFTER_MS = 50
const RETRY_MS = 3_000
/** A reader that does not read loses the oldest. */
const MAX_WAITING = 1_000
const MAX_TYPING = 1_000

type PresenceEvent = Extract<LiveEvent, { type: 'presence' }>
interface Reader {
  users: ReadonlySet<string>
  isShown: boolean
  tell: (event: LiveEvent) => void
}
export interface LiveSources {
  clock: Clock
  session: () => Session | undefined
  nameOf: (conversation: string) => string
  isBlocked: (user: string) => boolean
}

export class Live {
  readonly #sources: LiveSources
  readonly #readers = new Set<Reader>()
  readonly #presence = new Map<string, PresenceEvent>()
  /** `conversation user` -> cancels the end of what is believed. */
  readonly #typing = new Map<string, () => void>()
  /** Conversation -> when it was last said that this user types there, on the monotonic clock. */
  readonly #said = new Map<string, number>()
  #asked = ''
  #cancelAsk: (() => void) | undefined

  constructor(sources: LiveSources) {
    this.#sources = sources
  }

  readonly handlers: FrameHandlers = {
    'live.typing': ({ from, conversation, active }) => this.#onTyping(from, conversation, active),
    'live.presence': ({ users }) => {
      for (const [user, state, lastSeen] of users) {
        this.#onPresence({ type: 'presence', user, state, lastSeen: lastSeen === null ? null : timestamp(lastSeen) })
      }
    },
  }

  /** A new session knows nothing of what was asked for. */
  online(): void {
    this.#asked = ''
    if (this.#readers.size > 0) this.#askAfter(0)
  }

  /** This user types in a conversation to `to`, or no more. Said now and then only, however often it is called. */
  typing({ conversation, to }: { conversation: string; to: string }, active: boolean): void {
    const { clock, session, isBlocked } = this.#sources
    const now = clock.monotonic()
    const said = this.#said.get(conversation)
    const isSaid = said !== undefined && now - said < (active ? REPEAT_MS : limits.typingMs)
    if (isSaid === active || isBlocked(to)) return
    if (active) this.#said.set(conversation, now)
    else this.#said.delete(conversation)
    session()?.notify('live.typing', { to, active })
  }

  /** While it is read, what it wants is asked for. */
  async *read({ watch = [], shown = false, signal }: LiveOptions): AsyncGenerator<LiveEvent, void, undefined> {
    const waiting: LiveEvent[] = []
    let wake = (): void => {}
    const tell = (event: LiveEvent): void => {
      if (waiting.length >= MAX_WAITING) waiting.shift()
      waiting.push(event)
      wake()
    }
    const reader: Reader = { users: new Set(watch), isShown: shown, tell }
    this.#readers.add(reader)
    for (const user of reader.users) {
      const known = this.#presence.get(user)
      if (known) tell(known)
    }
    this.#askAfter(ASK_AFTER_MS)
    const onAbort = (): void => wake()
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      while (signal?.aborted !== true) {
        for (let event = waiting.shift(); event; event = waiting.shift()) yield event
        await new Promise<void>((resolve) => {
          wake = resolve
          if (waiting.length > 0 || signal?.aborted) resolve()
        })
      }
    } finally {
      signal?.removeEventListener('abort', onAbort)
      this.#readers.delete(reader)
      this.#askAfter(ASK_AFTER_MS)
    }
  }

  stop(): void {
    this.#cancelAsk?.()
    for (const cancel of this.#typing.values()) cancel()
    this.#typing.clear()
  }

  #askAfter(ms: number): void {
    this.#cancelAsk?.()
    this.#cancelAsk = this.#sources.clock.after(ms, () => {
      this.#cancelAsk = undefined
      void this.#ask()
    })
  }

  async #ask(): Promise<void> {
    const session = this.#sources.session()
    const readers = [...this.#readers]
    const users = [...new Set(readers.flatMap((reader) => [...reader.users]))].slice(0, limits.maxWatched)
    for (const user of this.#presence.keys()) if (!users.includes(user)) this.#presence.delete(user)
    const wanted = { users, typing: readers.length > 0, shown: readers.some(({ isShown }) => isShown) }
    const text = JSON.stringify(wanted)
    if (!session || text === this.#asked) return
    this.#asked = text
    await session.request('live.watch', wanted, 'ok').catch(() => {
      // Of this session only: the next one is asked anew.
      if (session === this.#sources.session() && !session.isOver && this.#asked === text) {
        this.#asked = ''
        this.#askAfter(RETRY_MS)
      }
    })
  }

  #onPresence(event: PresenceEvent): void {
    this.#presence.set(event.user, event)
    for (const { users, tell } of this.#readers) if (users.has(event.user)) tell(event)
  }

  #onTyping(from: string, conversation: string, active: boolean): void {
    const { clock, isBlocked } = this.#sources
    const key = `${conversation} ${from}`
    const cancel = this.#typing.get(key)
    if (isBlocked(from) || (!cancel && (!active || this.#typing.size >= MAX_TYPING))) return
    cancel?.()
    this.#typing.delete(key)
    const end = (): void => this.#onTyping(from, conversation, false)
    if (active) this.#typing.set(key, clock.after(limits.typingMs, end))
    if (active && cancel) return
    const event: LiveEvent = { type: 'typing', conversation: this.#sources.nameOf(conversation), from, active }
    for (const { tell } of this.#readers) tell(event)
  }
}
