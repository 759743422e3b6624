// What a person sends: with or without a file, forwarded, again after a restart or because he feels like it; and what he is told of each.
// Lives as long as the device, over all runs of its program.
import type { SendResult } from '../../src/client/api.ts'
import type { LocalChat } from '../../src/client/local-chat.ts'
import { asChatError } from '../../src/protocol/errors.ts'
import { type Attachments, isFileText } from './attachments.ts'
import type { SimCluster } from './cluster.ts'
import { knowsGroup, nameOn } from './group-view.ts'
import { listedBy } from './listing.ts'
import type { Session } from './person.ts'

export const SEND_TIMEOUT_MS = 20_000

export interface Sent {
  id: string
  to: string
  text: string
  /** Of the message that is forwarded. */
  of?: string
  /** What the person knows: stored, refused or nothing yet. */
  outcome: 'ok' | 'fail' | undefined
  /** Times that it is being sent just now. */
  attempts: number
}
export interface SendsParts {
  proc: string
  user: string
  cluster: SimCluster
  makeId: () => string
  attachments: Attachments
  /** Acknowledged for the first time. */
  onStored: (sent: Sent) => void
}

export class Sends {
  readonly #parts: SendsParts
  readonly #sent: Sent[] = []
  /** Resolves when the messages with files so far are in the outbox: what is sent after them comes after them. */
  #filed: Promise<void> = Promise.resolve()

  constructor(parts: SendsParts) {
    this.#parts = parts
  }

  get all(): readonly Sent[] {
    return this.#sent
  }

  /** Sends again what nobody acknowledged. */
  resume({ chat }: Session): void {
    // What was under way died with the program, and never ends.
    for (const sent of this.#sent) sent.attempts = 0
    this.#filed = this.#sendAgain(chat)
  }

  /** To a group only when this device has heard of it. */
  async send({ chat }: Session, to: string, text: string): Promise<void> {
    if (this.#isUnheardOf(to)) return
    await this.#attempt(chat, await this.#inTurn(async () => this.#begin({ to, text })))
  }

  /** A message with the file of that path, which is its text too. */
  async sendFile({ chat }: Session, to: string, text: string): Promise<void> {
    if (this.#isUnheardOf(to)) return
    await this.#attempt(chat, await this.#inTurn(() => this.#file(chat, this.#begin({ to, text }))))
  }

  async forward({ chat }: Session, to: string, which: number): Promise<void> {
    const { cluster, proc } = this.#parts
    if (this.#isUnheardOf(to)) return
    await this.#guard(async () => {
      const sent = await this.#inTurn(async () => {
        const shown = Object.values(await listedBy(cluster, proc, chat)).flat()
        const lines = shown.filter(({ text, deleted, status }) => isFileText(text) && !deleted && status !== 'queued')
        const line = lines[Math.floor(which * lines.length)]
        return line && this.#file(chat, this.#begin({ to, text: line.text, of: line.id }))
      })
      if (sent) await this.#attempt(chat, sent)
    })
  }

  #isUnheardOf(to: string): boolean {
    return to.startsWith('#') && !knowsGroup(this.#parts.cluster, this.#parts.proc, to)
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#filed.then(work)
    this.#filed = done.then(
      () => undefined,
      () => undefined,
    )
    return done
  }

  #begin(message: Pick<Sent, 'to' | 'text' | 'of'>): Sent {
    const sent: Sent = { id: this.#parts.makeId(), ...message, outcome: undefined, attempts: 0 }
    this.#sent.push(sent)
    this.#parts.cluster.noteSent(sent.id)
    this.#note(sent, 'invoke')
    return sent
  }

  async #sendAgain(chat: LocalChat): Promise<void> {
    for (const sent of this.#sent) {
      if (sent.outcome !== undefined) continue
      if (isFileText(sent.text)) await this.#file(chat, sent)
      void this.#attempt(chat, sent)
    }
  }

  /** Into the outbox; what stands in the way the attempt is told, too. */
  async #file(chat: LocalChat, sent: Sent): Promise<Sent> {
    await this.#submit(chat, sent, 'queued').catch(() => undefined)
    return sent
  }

  #submit(chat: LocalChat, { id, to, text, of }: Sent, wait: 'queued' | 'stored'): Promise<SendResult> {
    const options = { id, timeoutMs: SEND_TIMEOUT_MS, wait }
    // Sent again after the group was renamed it is the same message all the same.
    const name = nameOn(this.#parts.cluster, this.#parts.proc, to)
    if (of !== undefined) return chat.forward(of, name, options)
    return chat.send(name, text, isFileText(text) ? { ...options, files: [text] } : options)
  }

  /** The same message once more, under the same id: nothing may come of it but another acknowledgement. */
  async resend({ chat }: Session): Promise<void> {
    const sent = this.#sent.at(-1)
    if (sent && sent.outcome !== 'fail') await this.#attempt(chat, sent)
  }

  async #attempt(chat: LocalChat, sent: Sent): Promise<void> {
    sent.attempts += 1
    try {
      this.told(chat, sent, await this.#submit(chat, sent, 'stored'))
    } catch (thrown) {
      const error = asChatError(thrown)
      const status = (error.details as { result?: SendResult } | undefined)?.result?.status // as api.ts says
      // Whoever forwards what was deleted meanwhile learns nothing of what became of it before.
      // And what is refused while it is sent once more at the same time is judged by that.
      const isSaid =
        status === undefined &&
        error.outcome === 'refused' &&
        !error.retryable &&
        sent.of === undefined &&
        sent.attempts === 1
      const isFinal = status === 'refused' || isSaid
      this.#note(sent, isFinal ? 'fail' : 'info', error.code)
      if (isFinal) sent.outcome = 'fail'
      this.#parts.cluster.defect(this.#parts.proc, error)
    } finally {
      sent.attempts = Math.max(0, sent.attempts - 1)
    }
  }

  told(chat: LocalChat, sent: Sent, { status }: Pick<SendResult, 'status'>): void {
    const outcome = status === 'refused' ? 'fail' : 'ok'
    if (status === 'queued' || sent.outcome === outcome) return
    sent.outcome = outcome
    if (outcome === 'ok') {
      this.#parts.onStored(sent)
      if (isFileText(sent.text)) void this.#guard(() => this.#parts.attachments.measure(chat, sent.id))
    }
    this.#note(sent, outcome)
  }

  #note({ id, to, text }: Sent, type: 'invoke' | 'ok' | 'fail' | 'info', code?: string): void {
    const event = { op: 'send', proc: this.#parts.proc, type, id, user: this.#parts.user, to, text } as const
    this.#parts.cluster.history.add({ ...event, ...(code ? { code } : {}) })
  }

  async #guard(act: () => Promise<void>): Promise<void> {
    try {
      await act()
    } catch (error) {
      this.#parts.cluster.defect(this.#parts.proc, error)
    }
  }
}
