// Who uses a device: sends, reads, waits, listens, and writes everything that it is told into the history.
// Lives as long as the device, over all runs of its program.
import type { ChatEvent } from '../../src/client/api.ts'
import type { LocalChat } from '../../src/client/local-chat.ts'
import { sleep } from '../../src/platform/timing.ts'
import { asChatError } from '../../src/protocol/errors.ts'
import { Attachments, isFileText } from './attachments.ts'
import type { DeviceState } from './checker.ts'
import type { SimCluster } from './cluster.ts'
import { GROUP_CHANGES } from './group-changes.ts'
import { GapWatch } from './gap-watch.ts'
import { nameOn } from './group-view.ts'
import type { ReferEvent } from './history.ts'
import type { Life } from './life.ts'
import { listedBy } from './listing.ts'
import { durability } from './measures.ts'
import { firstName, type GroupStep } from './scenario.ts'
import { SEND_TIMEOUT_MS, Sends, type Sent } from './sends.ts'

/** Longer than any gap is waited for, so that what came is also shown. */
const SHOWN_AFTER_MS = 2_500
const SETTLE_TIMEOUT_MS = 12_000
const MARK = 'person'
const REFER = { timeoutMs: SEND_TIMEOUT_MS }

/** A message by its place among the newest of a conversation: `which` is a part of 1. */
interface Chosen {
  conversation: string
  which: number
}

/** One run of the client's program. */
export interface Session {
  life: Life
  chat: LocalChat
  abort: AbortController
}

export class Person {
  readonly #proc: string
  readonly #user: string
  readonly #cluster: SimCluster
  readonly #makeId: () => string
  readonly attachments: Attachments
  readonly sends: Sends
  readonly #gaps: GapWatch
  /** Of the last event seen. */
  #position = 0
  #powerCuts = 0
  #settles = 0

  constructor(name: { proc: string; user: string }, cluster: SimCluster, makeId: () => string) {
    this.#proc = name.proc
    this.#user = name.user
    this.#cluster = cluster
    this.#makeId = makeId
    const attachments = new Attachments(name.proc, cluster)
    this.attachments = attachments
    this.#gaps = new GapWatch(name, cluster)
    const onStored = (sent: Sent): void => this.#measure(sent.id, { from: name.user, to: sent.to }, 'acknowledged')
    this.sends = new Sends({ ...name, cluster, makeId, attachments, onStored })
  }

  /** Goes on listening where it stopped, and sends again what nobody acknowledged. */
  async resume(session: Session): Promise<void> {
    // Somebody who was sure of what was seen may find it gone after a power cut, like everything that was not synced.
    if (this.#powerCuts > 0) this.#position = Math.min(this.#position, await session.chat.mark(MARK))
    void this.#listen(session)
    session.chat.onChange(() => {
      void this.#guard(() => this.#gaps.look(session, { life: this.#powerCuts }))
    })
    this.sends.resume(session)
  }

  lostPower(): void {
    this.#powerCuts++
  }

  async read({ chat }: Session, conversation: string): Promise<void> {
    const { history } = this.#cluster
    const event = { op: 'read', proc: this.#proc, user: this.#user, conversation, life: this.#powerCuts } as const
    history.add({ ...event, type: 'invoke' })
    await this.#guard(async () => {
      await chat.markRead(nameOn(this.#cluster, this.#proc, conversation))
      history.add({ ...event, type: 'ok' })
    })
  }

  async edit(session: Session, at: Chosen, text: string): Promise<void> {
    await this.#refer(session, at, { what: 'edit', text }, (id) => session.chat.edit(id, text, REFER))
  }

  async react(session: Session, at: Chosen, emoji: string): Promise<void> {
    await this.#refer(session, at, { what: 'react', text: emoji }, (id) => session.chat.react(id, emoji, REFER))
  }

  async delete(session: Session, at: Chosen): Promise<void> {
    await this.#refer(session, at, { what: 'delete', text: '' }, (id) => session.chat.delete(id, REFER))
  }

  /** A message of one's own that has a file. */
  async deleteFile({ chat }: Session, which: number): Promise<void> {
    await this.#guard(async () => {
      const shown = Object.values(await listedBy(this.#cluster, this.#proc, chat)).flat()
      const lines = shown.filter(
        ({ from, status, deleted, text }) =>
          from === this.#user && isFileText(text) && !deleted && status !== 'queued' && status !== 'refused',
      )
      const line = lines[Math.floor(which * lines.length)]
      if (line) await this.#say(line, { what: 'delete', text: '' }, (id) => chat.delete(id, REFER))
    })
  }

  async changeGroup({ chat }: Session, step: GroupStep): Promise<void> {
    const { history } = this.#cluster
    const { change, group, users, name } = step
    const id = this.#makeId()
    const about = { change, group, users, ...(name === undefined ? {} : { name }) }
    const event = { op: 'group', proc: this.#proc, user: this.#user, id, ...about } as const
    history.add({ ...event, type: 'invoke' })
    await this.#guard(async () => {
      try {
        const called = nameOn(this.#cluster, this.#proc, group)
        await GROUP_CHANGES[change](chat.group, { ...step, group: called }, { id, timeoutMs: SEND_TIMEOUT_MS })
        history.add({ ...event, type: 'ok' })
      } catch (thrown) {
        const { outcome, code } = asChatError(thrown)
        history.add({ ...event, type: outcome === 'refused' ? 'fail' : 'info', code })
        throw thrown
      }
    })
  }

  /** One of the newest messages that the cluster has, for all that this device knows. */
  async #refer(
    { chat }: Session,
    { conversation, which }: Chosen,
    said: { what: ReferEvent['what']; text: string },
    act: (id: string) => Promise<unknown>,
  ): Promise<void> {
    await this.#guard(async () => {
      const shown = await chat.history(nameOn(this.#cluster, this.#proc, conversation), { limit: 10 })
      const lines = shown.filter(
        ({ status, deleted, text }) =>
          status !== 'queued' && status !== 'refused' && !deleted && !(said.what === 'edit' && isFileText(text)),
      )
      const line = lines[Math.floor(which * lines.length)]
      if (line) await this.#say(line, said, act)
    })
  }

  async #say(
    { id, from, to }: { id: string; from: string; to: string },
    said: { what: ReferEvent['what']; text: string },
    act: (id: string) => Promise<unknown>,
  ): Promise<void> {
    const { history } = this.#cluster
    const message = { id, from, to: firstName(to) }
    const event = { op: 'refer', proc: this.#proc, user: this.#user, ...message, ...said } as const
    history.add({ ...event, type: 'invoke' })
    await act(id).then(
      () => history.add({ ...event, type: 'ok' }),
      (error: unknown) => {
        history.add({ ...event, type: 'info' })
        throw error
      },
    )
  }

  /** Waits until the device says it has everything, and writes down what it then shows. */
  async settle({ chat, life }: Session): Promise<void> {
    const { history } = this.#cluster
    const event = { op: 'settle', proc: this.#proc, user: this.#user, id: String(++this.#settles) } as const
    history.add({ ...event, type: 'invoke', complete: false, seen: [] })
    await this.#guard(async () => {
      await chat.settled({ timeoutMs: SETTLE_TIMEOUT_MS })
      const { complete } = await chat.connection()
      await sleep(life.clock, SHOWN_AFTER_MS)
      const seen = Object.values(await listedBy(this.#cluster, this.#proc, chat)).flatMap((messages) =>
        messages.map(({ id }) => id),
      )
      history.add({ ...event, type: 'ok', complete, seen })
    })
  }

  async askStatuses(chat: LocalChat): Promise<void> {
    for (const sent of [...this.sends.all]) await this.#askStatus(chat, sent)
  }

  async state(session: Session | undefined): Promise<DeviceState> {
    const [name, user] = [this.#proc, this.#user]
    if (!session) return { name, user, listed: {}, gaps: ['(down)'], disputed: {}, queued: 0, files: [] }
    const { chat } = session
    await this.askStatuses(chat)
    const listed = await listedBy(this.#cluster, this.#proc, chat)
    const gaps: string[] = []
    for (const conversation of Object.keys(listed)) {
      if ((await chat.gaps(nameOn(this.#cluster, name, conversation))).length > 0) gaps.push(conversation)
    }
    const disputes = (await chat.inbox()).map(({ conversation, disputedBy = [] }) => [
      firstName(conversation),
      disputedBy,
    ])
    const withFiles = Object.values(listed)
      .flat()
      .filter(({ text, status }) => isFileText(text) && status !== 'queued' && status !== 'refused')
    const files: DeviceState['files'] = []
    // One after the other: a gateway lets through so many of a session.
    for (const message of withFiles) files.push(await this.attachments.fetch(session, message))
    const disputed = Object.fromEntries(disputes)
    return { name, user, listed, gaps, disputed, queued: (await chat.connection()).queued, files }
  }

  async #askStatus(chat: LocalChat, sent: Sent): Promise<void> {
    await this.#guard(async () => {
      const report = await chat.status(sent.id)
      const { recipients } = report
      const time = (text: string | null | undefined): number | null => (text ? Date.parse(text) : null)
      /** The last of the recipients, once there is none without. */
      const last = (texts: (string | null)[]): number | null =>
        texts.length === 0 || texts.includes(null) ? null : Math.max(...texts.map((text) => time(text) ?? 0))
      const times = {
        storedAt: time(report.storedAt),
        receivedAt: last(recipients.map((each) => each.receivedAt)),
        readAt: last(recipients.map((each) => each.readAt)),
      }
      const status = times.readAt ? 'read' : times.receivedAt ? 'received' : times.storedAt ? 'stored' : 'queued'
      const event = { op: 'status', type: 'ok', proc: this.#proc, id: sent.id, status, life: this.#powerCuts } as const
      this.#cluster.history.add({ ...event, ...times })
      this.sends.told(chat, sent, { status })
    })
  }

  async #listen(session: Session): Promise<void> {
    const { chat, life, abort } = session
    await this.#guard(async () => {
      for await (const event of chat.events({ after: this.#position, signal: abort.signal })) {
        if (life.isDead) return
        await this.#see(session, event)
        this.#position = event.position
        await chat.setMark(MARK, event.position)
      }
    })
  }

  async #see(session: Session, event: ChatEvent): Promise<void> {
    const { chat } = session
    const { history, scenario } = this.#cluster
    const proc = this.#proc
    if (event.type === 'receipt') {
      history.add({ op: 'receipt', type: 'ok', proc, id: event.id, user: event.user, status: event.status })
      const sent = this.sends.all.find(({ id }) => id === event.id)
      if (sent) await this.#askStatus(chat, sent)
      return
    }
    if (event.type !== 'message') return
    const { id, from, text, conversation } = event
    const to = firstName(event.to)
    this.#measure(id, { from, to }, 'shown')
    const life = this.#powerCuts
    const shown = { op: 'show', type: 'ok', proc, user: this.#user, id, from, to, text, life } as const
    history.add(shown)
    await this.#gaps.look(session, { life, conversations: [firstName(conversation)] })
    if (scenario.eager.includes(proc)) void this.read(session, firstName(conversation))
    if (isFileText(text)) void this.#guard(() => this.attachments.look(session, { id, text }))
  }

  #measure(id: string, { from, to }: { from: string; to: string }, because: 'acknowledged' | 'shown'): void {
    // What was durable when it was shown before still is: the world takes only what is not.
    if (because === 'shown' && this.#cluster.knownDurable.has(id)) return
    const since = this.#cluster.sentAt(id)
    const isToGroup = to.startsWith('#')
    // Whoever is shown a message to a group may have it before any mailbox has.
    const users = isToGroup ? (because === 'shown' ? [] : [from]) : [...new Set([to, from])]
    const { found, needed } = durability(this.#cluster, { id, users, isToGroup, since })
    if (found >= needed) this.#cluster.knownDurable.add(id)
    this.#cluster.history.add({ op: 'durable', type: 'ok', proc: this.#proc, id, because, found, needed })
  }

  /** Errors with a code are answers; anything else is a defect. */
  async #guard(act: () => Promise<void>): Promise<void> {
    try {
      await act()
    } catch (error) {
      this.#cluster.defect(this.#proc, error)
    }
  }
}
