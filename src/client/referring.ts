// Editing, deleting and reacting: finds the message, checks that it may be done, puts the records into the outbox, waits for them.
// A message that has not left yet is changed where it waits.
import { decodeContent, encodeContent } from '../protocol/content.ts'
import { toHex } from '../protocol/bytes.ts'
import { ChatError } from '../protocol/errors.ts'
import type { DeletedPlace } from '../protocol/records.ts'
import { referenceOf } from '../protocol/reference.ts'
import { mutant } from '../platform/mutants.ts'
import type { MessageStatus, ReactionResult, ReferenceOptions, ReferenceResult, SendResult } from './api.ts'
import { attachmentsIn } from './attachments.ts'
import type { ChatState } from './chat-state.ts'
import type { ChatViews } from './chat-views.ts'
import { emojiOf, notAnEmoji } from './emoji.ts'
import { contentOf, type HeldMessage } from './held-records.ts'
import { queuedResult } from './message-view.ts'

export interface ReferringOptions {
  state: ChatState
  views: ChatViews
  me: string
  device: string
  now: () => number
  /** Waits for a record of one's own, as send() does; rejects as it does. */
  until: (id: string, result: () => SendResult, options: ReferenceOptions) => Promise<SendResult>
  /** Why a record was refused, while it is known. */
  problem: (id: string) => ChatError | undefined
  onChange: () => void
}

/** Where a message stands that something is to be said about. */
interface Target {
  id: string
  from: string
  to: string
  conv: string
}

const mustLeaveSomething = (text: string, attachments: number): void => {
  if (text === '' && attachments === 0)
    throw new ChatError('MESSAGE_EMPTY', {
      message: 'Nothing would be left of the message, so it was not changed; chat delete takes it away',
    })
}

export class Referring {
  readonly #options: ReferringOptions

  constructor(options: ReferringOptions) {
    this.#options = options
  }

  async edit(id: string, text: string, options: ReferenceOptions): Promise<ReferenceResult> {
    const { state, views, me, until } = this.#options
    const draft = state.outbox.get(id)
    if (draft?.kind === 'msg' && !draft.isSealed) {
      const content = decodeContent(draft.bytes)
      mustLeaveSomething(text, (content.attachments?.length ?? 0) + (draft.files?.length ?? 0))
      await state.outbox.redraft(id, encodeContent({ ...content, text }))
      const { status } = await until(
        id,
        () => views.result(id) ?? queuedResult({ id, to: state.nameOf(draft.lane) }),
        options,
      )
      return this.#result({ id, conv: draft.lane }, status)
    }
    const message = await this.#line(id)
    const { header } = message
    if (header.from !== me && !mutant('edit-by-anyone')) throw new ChatError('MESSAGE_DENIED')
    mustLeaveSomething(text, attachmentsIn(message).length)
    return this.#send(header, encodeContent({ text, edit: header.id }), options)
  }

  async react(
    id: string,
    given: string,
    { active, ...options }: ReferenceOptions & { active?: boolean },
  ): Promise<ReactionResult> {
    const target = this.#draftTarget(id) ?? (await this.#line(id)).header
    // What this user reacted with by another client may be no emoji here, and can be taken back.
    const emoji = emojiOf(given) ?? (this.#hasReacted(target, given) ? given : undefined)
    if (emoji === undefined) throw new ChatError('USAGE', { message: notAnEmoji(given) })
    const isActive = active ?? !this.#hasReacted(target, emoji)
    const about = { react: target.id, author: target.from }
    const content = encodeContent({ text: emoji, ...about, ...(isActive ? {} : { off: true }) })
    return { ...(await this.#send(target, content, options)), emoji, active: isActive }
  }

  async delete(id: string, options: ReferenceOptions): Promise<ReferenceResult> {
    const { state, onChange } = this.#options
    const draft = state.outbox.get(id)
    if (draft && (await state.outbox.takeBack(id))) return this.#result({ id, conv: draft.lane }, 'stored')
    const message = await this.#held(id)
    const { header, key, isRefused, isDeleted } = message
    const tombstones: string[] = []
    if (isRefused) state.timeline.withdraw(header, key)
    else if (!isDeleted) {
      // The edits first: who hears of the message has heard of them.
      for (const edit of state.references.editsOf(message)) tombstones.push(await this.#bury(edit, { isLine: false }))
      tombstones.push(await this.#bury(message, { isLine: true }))
    }
    onChange()
    for (const tombstone of tombstones) await this.#untilGone(tombstone, header, options)
    const isOut = tombstones.every((tombstone) => !state.outbox.get(tombstone))
    return this.#result({ id: header.id, conv: header.conv }, isOut ? 'stored' : 'queued')
  }

  /** Another device of this user deleted a message that was edited here: the text of the edit goes too, whether it has left or not. */
  async forgetEdits(message: HeldMessage): Promise<void> {
    const { state, device } = this.#options
    for (const edit of state.references.editsOf(message)) {
      if (edit.header.dev === device) await this.#bury(edit, { isLine: false })
    }
    for (const draft of state.outbox.drafts(message.header.conv)) {
      const reference = referenceOf(decodeContent(draft.bytes))
      if (reference?.kind === 'edit' && reference.id === message.header.id) await state.outbox.takeBack(draft.id)
    }
  }

  /** Here at once, elsewhere once it has left; the tombstone's id. */
  #bury({ header, key }: HeldMessage, { isLine }: { isLine: boolean }): Promise<string> {
    const { state, me, now } = this.#options
    const { conv, from, dev, seq, at, blobs } = header
    const of: DeletedPlace = { conv, from, dev, seq, at, ...(isLine ? {} : { ref: true }) }
    const target = toHex(key)
    state.deletions.bury({ target, of, from: me, at: now() }, { isTold: false })
    // What others wrote keeps its attachments: it is deleted here only.
    const own = from === me && blobs ? { blobs } : {}
    return state.outbox.addTombstone({ to: from === me ? header.to : me, target, of, ...own })
  }

  async #send(target: Target, content: Uint8Array, options: ReferenceOptions): Promise<ReferenceResult> {
    const { state, views, me, until } = this.#options
    const id = options.id ?? state.makeId()
    const to = target.to === me ? target.from : target.to
    if (!views.result(id)) await state.outbox.addMessage({ id, to, lane: target.conv, content })
    const { status } = await until(
      id,
      () => views.result(id) ?? queuedResult({ id, to: state.nameOf(target.conv) }),
      options,
    )
    return this.#result(target, status)
  }

  #untilGone(id: string, target: Target, options: ReferenceOptions): Promise<SendResult> {
    const { state, problem, until } = this.#options
    const result = (): SendResult => {
      const status = state.outbox.get(id) ? 'queued' : problem(id) ? 'refused' : 'stored'
      return { ...queuedResult({ id, to: state.nameOf(target.conv) }), status }
    }
    return until(id, result, options)
  }

  #result({ id, conv }: Pick<Target, 'id' | 'conv'>, status: MessageStatus): ReferenceResult {
    const conversation = this.#options.state.nameOf(conv)
    return { id, conversation, status: status === 'queued' ? 'queued' : 'stored' }
  }

  #draftTarget(id: string): Target | undefined {
    const entry = this.#options.state.outbox.get(id)
    if (entry?.kind !== 'msg' || entry.isSealed || referenceOf(decodeContent(entry.bytes))) return undefined
    return { id, from: this.#options.me, to: entry.to, conv: entry.lane }
  }

  #hasReacted({ id, from, conv }: Target, emoji: string): boolean {
    const shown = this.#options.views.line(id, { from, conv })
    const reaction = shown?.reactions?.find((one) => one.emoji === emoji)
    return reaction?.users.includes(this.#options.me) ?? false
  }

  /** The message; of the id of an edit, that which it edits. MESSAGE_UNKNOWN. */
  async #held(id: string): Promise<HeldMessage> {
    const { views } = this.#options
    const message = await views.message(id)
    const reference = referenceOf(contentOf(message))
    if (!reference) return message
    if (reference.kind !== 'edit' || message.header.from !== this.#options.me) throw new ChatError('MESSAGE_UNKNOWN')
    return views.message(reference.id)
  }

  /** The same, not deleted and not refused. */
  async #line(id: string): Promise<HeldMessage> {
    const message = await this.#held(id)
    if (message.isDeleted) throw new ChatError('MESSAGE_UNKNOWN', { message: 'That message is deleted' })
    if (message.isRefused)
      throw new ChatError('MESSAGE_UNKNOWN', { message: 'That message was refused: nobody has it' })
    return message
  }
}
