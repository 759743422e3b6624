// The user's own settings as all devices agree on them: whom one blocks, what one marked as unread (the greatest (at, device) wins) and what one has read
// (a union). Records of kind `set` in one's own mailbox, verified before they get here.
import { fromUtf8, toUtf8 } from '../protocol/bytes.ts'
import { isUserName } from '../protocol/names.ts'
import { isDeviceId, type SettingHeader } from '../protocol/records.ts'
import type { Conversations, DeviceCoverage } from './conversations.ts'
import { keys, ranges, textOfKey } from './keys.ts'
import type { LocalStore } from './local-store.ts'
import { addRange } from './sequence-ranges.ts'

const READ = 'read/'
const BLOCK = 'block/'
const UNREAD = 'unread/'

interface Saved {
  at: number
  dev: string
  value: unknown
}

export const readKey = (conversation: string): string => `${READ}${conversation}`
export const unreadKey = (conversation: string): string => `${UNREAD}${conversation}`
export const blockKey = (user: string): string => `${BLOCK}${user}`

/** Of what was read in a conversation: device, first, last; in a group also whose device it is. */
export type ReadRange = [device: string, first: number, last: number, user?: string]
export const encodeReadRanges = (r: ReadRange[]): Uint8Array => toUtf8(JSON.stringify({ r }))

export class Settings {
  readonly #store: LocalStore
  readonly #conversations: Conversations
  readonly #otherOf: (conversation: string) => string
  readonly #onBlocks: () => void
  readonly #blocked = new Set<string>()
  readonly #unread = new Set<string>()

  /** `otherOf`: the other user of a direct conversation; `onBlocks`: who is blocked has changed. */
  constructor(options: {
    store: LocalStore
    conversations: Conversations
    otherOf: (conversation: string) => string
    onBlocks: () => void
  }) {
    this.#store = options.store
    this.#conversations = options.conversations
    this.#otherOf = options.otherOf
    this.#onBlocks = options.onBlocks
  }

  async load(): Promise<void> {
    for (const [key, value] of await this.#store.range(ranges.settings())) {
      this.#adopt(textOfKey(key), JSON.parse(fromUtf8(value)) as Saved) // written by apply()
    }
  }

  isBlocked(user: string): boolean {
    return this.#blocked.size > 0 && this.#blocked.has(user)
  }

  blocked(): string[] {
    return [...this.#blocked].sort()
  }

  /** Marked so by hand, whatever was read. */
  isMarkedUnread(conversation: string): boolean {
    return this.#unread.has(conversation)
  }

  apply({ key, at, dev }: Pick<SettingHeader, 'key' | 'at' | 'dev'>, body: Uint8Array): void {
    let value: unknown
    try {
      value = JSON.parse(fromUtf8(body))
    } catch {
      return // of another version, or broken: signed by oneself, so it harms nobody
    }
    if (key.startsWith(READ)) return this.#read(key.slice(READ.length), value)
    const saved = this.#store.get(keys.setting(key))
    const before = saved ? (JSON.parse(fromUtf8(saved)) as Saved) : undefined // written below
    // Of one device the later word counts, also within a millisecond.
    if (before && (before.at > at || (before.at === at && before.dev > dev))) return
    const after: Saved = { at, dev, value }
    this.#store.put(keys.setting(key), toUtf8(JSON.stringify(after)))
    this.#adopt(key, after)
  }

  #adopt(key: string, { value }: Saved): void {
    const { blocked, unread } = (value ?? {}) as { blocked?: unknown; unread?: unknown } // compared with true, whatever it is
    if (key.startsWith(BLOCK)) {
      setMember(this.#blocked, key.slice(BLOCK.length), blocked === true)
      this.#onBlocks()
    }
    if (key.startsWith(UNREAD)) setMember(this.#unread, key.slice(UNREAD.length), unread === true)
  }

  /** Another device of this user has read these, and has told their sender. */
  #read(id: string, value: unknown): void {
    const list = (value as { r?: unknown } | null)?.r
    if (!Array.isArray(list)) return
    const conversation = this.#conversations.of(id)
    for (const range of list as unknown[]) {
      const [device, from, to, author = this.#otherOf(id)] = Array.isArray(range) ? (range as unknown[]) : []
      if (!isDeviceId(device) || !isCount(from) || !isCount(to) || from > to || !isUserName(author)) continue
      const coverage = this.#conversations.coverage(conversation, device, author)
      for (const set of markedByReading(coverage)) addRange(set, from, to)
    }
    this.#conversations.touch(conversation)
  }
}

const setMember = (set: Set<string>, member: string, isIn: boolean): void => {
  if (isIn) set.add(member)
  else set.delete(member)
}
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 1
const markedByReading = (c: DeviceCoverage) => [c.read, c.toldRead, c.syncedRead]
