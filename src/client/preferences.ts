// What the user wants of people and conversations: whom to block and what to mark as unread, on all devices; how loud a conversation
// is, on this one.
import { fromUtf8, toUtf8 } from '../protocol/bytes.ts'
import { ChatError } from '../protocol/errors.ts'
import { isGroupId, isUserName } from '../protocol/names.ts'
import type { AttentionLevel } from './api.ts'
import { keys } from './keys.ts'
import type { LocalStore } from './local-store.ts'
import type { Outbox } from './outbox.ts'
import { blockKey, type Settings, unreadKey } from './settings.ts'

const levels: ReadonlySet<string> = new Set<AttentionLevel>(['all', 'mentions', 'none'])

/** Direct messages are for the user; of a group only what names them is. */
const usualLevel = (conversation: string): AttentionLevel => (isGroupId(conversation) ? 'mentions' : 'all')

export interface PreferencesOptions {
  store: LocalStore
  settings: Settings
  outbox: Outbox
  me: string
  device: string
  now: () => number
  onChange: () => void
}

export class Preferences {
  readonly #options: PreferencesOptions

  constructor(options: PreferencesOptions) {
    this.#options = options
  }

  async setBlocked(user: string, blocked: boolean): Promise<void> {
    if (!isUserName(user)) throw new ChatError('AUTH_NAME_ILLEGAL')
    // It would hide one's own messages, in every conversation.
    if (blocked && user === this.#options.me) throw new ChatError('USAGE', { message: 'You cannot block yourself' })
    await this.#set(blockKey(user), { blocked })
  }

  async setUnread(conversation: string, unread: boolean): Promise<void> {
    if (this.#options.settings.isMarkedUnread(conversation) !== unread)
      await this.#set(unreadKey(conversation), { unread })
  }

  levelOf(conversation: string): AttentionLevel {
    const saved = this.#options.store.get(keys.level(conversation))
    return saved ? (fromUtf8(saved) as AttentionLevel) : usualLevel(conversation) // written below
  }

  /** Without a level it has the usual one again. */
  async setLevel(conversation: string, level: AttentionLevel | undefined): Promise<AttentionLevel> {
    if (level !== undefined && !levels.has(level)) {
      throw new ChatError('USAGE', { message: 'A level is all, mentions or none' })
    }
    const { store, onChange } = this.#options
    const isUsual = level === undefined || level === usualLevel(conversation)
    store.put(keys.level(conversation), isUsual ? undefined : toUtf8(level))
    await store.commit({ sync: true })
    onChange()
    return this.levelOf(conversation)
  }

  async #set(key: string, value: object): Promise<void> {
    const { settings, outbox, device, now, onChange } = this.#options
    const body = toUtf8(JSON.stringify(value))
    settings.apply({ key, at: now(), dev: device }, body)
    await outbox.addSetting(key, body)
    onChange()
  }
}
