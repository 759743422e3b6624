// Edits and reactions, filed under the message they are about, whichever comes first. What counts is a function of the set of them:
// the author's newest edit, and each user's newest word on each emoji; so all devices come to show the same.
import { fromHex, fromUtf8, toHex, toUtf8 } from '../protocol/bytes.ts'
import { compareOrder, type MessageHeader } from '../protocol/records.ts'
import { type Reference, referenceOf } from '../protocol/reference.ts'
import { mutant } from '../platform/mutants.ts'
import type { ShownReaction } from './api.ts'
import type { EventLog } from './event-log.ts'
import { contentOf, type HeldMessage, type HeldRecords } from './held-records.ts'
import { keys } from './keys.ts'
import type { LocalStore } from './local-store.ts'

/** Older ones are forgotten: only the newest is shown, the others are for when it is deleted. */
const MAX_EDITS = 32
/** Per user and message; the user's newest stay. */
const MAX_EMOJI = 20

/** Place in the common order, and record key in hex. */
type Mark = [at: number, dev: string, id: string, key: string]
interface Saved {
  /** The newest first. */
  edits: Mark[]
  reactions: [user: string, emoji: string, isActive: boolean, ...Mark][]
}
type SavedReaction = Saved['reactions'][number]
interface About {
  conversation: string
  id: string
  author: string
}
export interface ReferencesOptions {
  store: LocalStore
  records: HeldRecords
  events: EventLog
  isBlocked: (user: string) => boolean
  /** It waits for one before it, so nobody has seen it yet. */
  isHeld: (key: Uint8Array) => boolean
  /** What is shown of this message has changed. */
  onChanged: (key: Uint8Array) => void
}

const markOf = ({ header, key }: HeldMessage): Mark => [header.at, header.dev, header.id, toHex(key)]
const compareMarks = (a: Mark, b: Mark): number =>
  compareOrder({ at: a[0], dev: a[1], id: a[2] }, { at: b[0], dev: b[1], id: b[2] })
const markOfReaction = ([, , , ...mark]: SavedReaction): Mark => mark

export class References {
  readonly #options: ReferencesOptions

  constructor(options: ReferencesOptions) {
    this.#options = options
  }

  /** From now on it counts; with `isTold` listeners hear of it, once the message it is about was shown. */
  apply(message: HeldMessage, reference: Reference, { isTold }: { isTold: boolean }): void {
    const about = this.#aboutOf(message.header, reference)
    if (!about) return
    const saved = this.#read(about)
    const isNews = reference.kind === 'edit' ? addEdit(saved, message) : addReaction(saved, message, reference)
    this.#save(about, saved)
    const target = isNews ? this.#target(about) : undefined
    if (!target) return
    this.#options.onChanged(target.key)
    if (isTold && !this.#options.isBlocked(message.header.from)) this.#options.events.reference(message.key)
  }

  /** It was deleted, or never left: as if it had not been. */
  withdraw(message: HeldMessage): void {
    const reference = referenceOf(contentOf(message))
    const about = reference && this.#aboutOf(message.header, reference)
    if (!about) return
    const saved = this.#read(about)
    const hex = toHex(message.key)
    const edits = saved.edits.filter(([, , , key]) => key !== hex)
    const reactions = saved.reactions.filter((reaction) => markOfReaction(reaction)[3] !== hex)
    this.#save(about, { edits, reactions })
    const target = this.#target(about)
    if (target) this.#options.onChanged(target.key)
  }

  /** Listeners were just told of this message: now of what came before it. */
  shown({ header }: HeldMessage): void {
    const { edits, reactions } = this.#read({ conversation: header.conv, id: header.id, author: header.from })
    const [edit] = edits
    if (edit) this.#options.events.reference(fromHex(edit[3]))
    for (const reaction of reactions) {
      const [user, , isActive] = reaction
      if (isActive && !this.#options.isBlocked(user))
        this.#options.events.reference(fromHex(markOfReaction(reaction)[3]))
    }
  }

  /** The text that replaced that of a message, and the reactions to it. */
  of({ header }: HeldMessage): { text: string | undefined; reactions: ShownReaction[] } {
    const { edits, reactions } = this.#read({ conversation: header.conv, id: header.id, author: header.from })
    const [edit] = edits
    const message = edit && this.#options.records.message(fromHex(edit[3]))
    return { text: message && contentOf(message).text, reactions: this.#shown(reactions) }
  }

  /** Emoji and users in the order of what they said last. */
  #shown(reactions: readonly SavedReaction[]): ShownReaction[] {
    const byEmoji = new Map<string, string[]>()
    for (const [user, emoji, isActive] of reactions) {
      if (!isActive || this.#options.isBlocked(user)) continue
      const users = byEmoji.get(emoji)
      if (users) users.push(user)
      else byEmoji.set(emoji, [user])
    }
    return [...byEmoji].map(([emoji, users]) => ({ emoji, users }))
  }

  /** The author's edits of a message that are held here. */
  editsOf({ header }: HeldMessage): HeldMessage[] {
    const { edits } = this.#read({ conversation: header.conv, id: header.id, author: header.from })
    return edits.flatMap(([, , , key]) => this.#options.records.message(fromHex(key)) ?? [])
  }

  /** The line that a message is about, if it is held and nothing keeps it from being shown. */
  #target({ conversation, id, author }: About): HeldMessage | undefined {
    const { records, isHeld } = this.#options
    const key = records.keyOf(id, author)
    const found = key && records.message(key)
    return found && !found.isDeleted && found.header.conv === conversation && !isHeld(found.key) ? found : undefined
  }

  #aboutOf({ conv, from, to }: MessageHeader, reference: Reference): About | undefined {
    if (reference.kind === 'none') return undefined
    const { id } = reference
    if (reference.kind === 'reaction') return { conversation: conv, id, author: reference.author }
    const isForeign = mutant('edit-by-anyone') && this.#options.records.keyOf(id, to) !== undefined
    return { conversation: conv, id, author: isForeign ? to : from }
  }

  #read({ conversation, id, author }: About): Saved {
    const value = this.#options.store.get(keys.references(conversation, id, author))
    return value ? (JSON.parse(fromUtf8(value)) as Saved) : { edits: [], reactions: [] } // written below
  }

  #save({ conversation, id, author }: About, saved: Saved): void {
    this.#options.store.put(keys.references(conversation, id, author), toUtf8(JSON.stringify(saved)))
  }
}

/** True when it is the newest. */
const addEdit = ({ edits }: Saved, message: HeldMessage): boolean => {
  const mark = markOf(message)
  if (edits.some(([, , , key]) => key === mark[3])) return false
  const index = edits.findIndex((other) => compareMarks(other, mark) < 0)
  edits.splice(index < 0 ? edits.length : index, 0, mark)
  edits.splice(MAX_EDITS)
  return index === 0 || edits.length === 1
}

/** True when it is the newest of this user and emoji. */
const addReaction = (saved: Saved, message: HeldMessage, reference: Reference): boolean => {
  if (reference.kind !== 'reaction') return false
  const { emoji, isActive } = reference
  const { from } = message.header
  const mark = markOf(message)
  const before = saved.reactions.find(([user, other]) => user === from && other === emoji)
  if (before && compareMarks(markOfReaction(before), mark) >= 0) return false
  const others = saved.reactions.filter((reaction) => reaction !== before)
  others.push([from, emoji, isActive, ...mark])
  others.sort((a, b) => compareMarks(markOfReaction(a), markOfReaction(b)))
  const theirs = others.filter(([user]) => user === from)
  const [oldest] = theirs
  saved.reactions = theirs.length > MAX_EMOJI ? others.filter((reaction) => reaction !== oldest) : others
  return true
}
