// Sends messages: into the outbox on disk, with what they take along, then waits for the state that the caller wants to see.
import { type Attachment, encodeContent } from '../protocol/content.ts'
import { ChatError, hasCode } from '../protocol/errors.ts'
import { isRecordId } from '../protocol/records.ts'
import type { SendOptions, SendResult } from './api.ts'
import { type Attachments, attachmentsIn } from './attachments.ts'
import type { ChatState } from './chat-state.ts'
import type { ChatViews } from './chat-views.ts'
import { compose } from './compose.ts'
import { contentOf } from './held-records.ts'
import type { LocalGroups } from './local-groups.ts'
import { queuedResult } from './message-view.ts'

export interface SendingOptions {
  me: string
  state: ChatState
  views: ChatViews
  attachments: Attachments
  groups: LocalGroups
  /** Waits for the state that the options name; TIMEOUT, or why the message was refused. */
  until: (id: string, result: () => SendResult, options: SendOptions) => Promise<SendResult>
}

export class Sending {
  readonly #options: SendingOptions

  constructor(options: SendingOptions) {
    this.#options = options
  }

  /** `held`: attachments that the cluster has already. */
  async send(to: string, text: string, options: SendOptions, held: Attachment[] = []): Promise<SendResult> {
    const { me, state, views, attachments, groups } = this.#options
    if (options.id !== undefined && !isRecordId(options.id)) {
      throw new ChatError('USAGE', { message: 'The id of a message is a UUID of version 7' })
    }
    const id = options.id ?? state.makeId()
    // Repeated: it went, or goes, as it was written first.
    if (views.result(id)) return this.#until({ id, to }, options)
    const { timeoutMs } = options
    const isGroup = to.startsWith('#')
    let lane: string
    try {
      lane = isGroup ? await groups.join(to, timeoutMs === undefined ? {} : { timeoutMs }) : views.idOf(to)
    } catch (error) {
      // It was sent once more at the same time, and got in there.
      if (views.result(id)) return this.#until({ id, to }, options)
      throw error
    }
    const group = state.groups.newest(lane)
    const written = compose(text, options, { me, group })
    const content = encodeContent({ ...written, ...(held.length > 0 ? { attachments: held } : {}) })
    const files = await attachments.outgoing(options.files ?? [])
    if (!views.result(id)) await state.outbox.addMessage({ id, to: group ? lane : to, lane, content, files })
    return this.#until({ id, to }, options)
  }

  /** Its text as it is now, and the same blobs. MESSAGE_UNKNOWN. */
  async forward(id: string, to: string, options: SendOptions): Promise<SendResult> {
    const { state, views } = this.#options
    const message = await views.message(id)
    if (message.isDeleted) throw new ChatError('MESSAGE_UNKNOWN')
    const text = state.references.of(message).text ?? contentOf(message).text
    return this.send(to, text, options, attachmentsIn(message))
  }

  async #until(message: { id: string; to: string }, options: SendOptions): Promise<SendResult> {
    const { views, attachments, until } = this.#options
    const { id } = message
    for (;;) {
      const sent = attachments.sentOf(id)
      try {
        return await until(id, () => views.result(id) ?? queuedResult(message), options)
      } catch (error) {
        // Unless a time is set, files may take as long as they do, while they move.
        const isMoving = attachments.sentOf(id) > sent
        if (!isMoving || options.timeoutMs !== undefined || !hasCode(error, 'TIMEOUT')) throw error
      }
    }
  }
}
