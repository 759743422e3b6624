// One device of a user: its disk, clock and key, the runs of its program with the real client, and a person who sends, reads and
// listens. Everything that it is told goes into the history.
import type { ChatEvent, SendResult } from '../../src/client/api.ts'
import { Identity } from '../../src/client/identity.ts'
import { idMaker } from '../../src/client/ids.ts'
import { keys } from '../../src/client/keys.ts'
import { LocalChat } from '../../src/client/local-chat.ts'
import { sleep } from '../../src/platform/timing.ts'
import { asChatError } from '../../src/protocol/errors.ts'
import type { DeviceState } from './checker.ts'
import type { SimCluster } from './cluster.ts'
import type { SimDisk } from './disk.ts'
import { enrol } from './enrolment.ts'
import { keyOf } from './keys.ts'
import { Life, type Machine } from './life.ts'
import type { NodeWorld } from './node.ts'
import type { HowToDie } from './scenario.ts'

/** Longer than any gap is waited for, so that what came is also shown. */
const SHOWN_AFTER_MS = 2_500
const SETTLE_TIMEOUT_MS = 12_000
const SEND_TIMEOUT_MS = 20_000
const MARK = 'person'
const DATABASE = 'client'

interface Sent {
  id: string
  to: string
  text: string
  /** What the person knows: stored, refused or nothing yet. */
  outcome: 'ok' | 'fail' | undefined
}
interface Run {
  life: Life
  chat: LocalChat
  abort: AbortController
}
export interface DeviceParts {
  cluster: SimCluster
  world: NodeWorld
  disk: SimDisk
  machine: Machine
}

export class SimDevice {
  readonly name: string
  readonly user: string
  readonly machine: Machine
  readonly #parts: DeviceParts
  readonly #makeId: () => string
  readonly sent: Sent[] = []
  #life: Life | undefined
  #run: Run | undefined
  #certificate: Uint8Array | undefined
  /** Of the last event that the person saw. */
  #position = 0
  #powerCuts = 0
  #runs = 0
  #settles = 0

  constructor(name: string, parts: DeviceParts) {
    this.name = name
    this.user = name.split('/')[0] ?? name
    this.machine = parts.machine
    this.#parts = parts
    const life = new Life(parts.world.scheduler, parts.machine)
    this.#makeId = idMaker(life.clock, parts.world.random.fork(`ids ${name}`))
  }

  get isUp(): boolean {
    return this.#life?.isDead === false
  }
  get deviceId(): string | undefined {
    return this.#run?.chat.device
  }
  get chat(): LocalChat | undefined {
    return this.isUp ? this.#run?.chat : undefined
  }

  /** Is the record in its database? */
  holds(recordKey: Uint8Array): boolean {
    return this.#parts.disk.database(DATABASE).store.get(keys.record(recordKey)) !== undefined
  }

  /** Not there at the beginning, and maybe not yet. */
  get isLate(): boolean {
    const { steps } = this.#parts.cluster.scenario
    return !this.#certificate && steps.some((step) => step.do === 'link-device' && step.device === this.name)
  }

  /** Gets a certificate, by registration or (given another device of the same user) by linking, then starts. */
  async enrol(approver?: SimDevice): Promise<void> {
    const life = new Life(this.#parts.world.scheduler, this.machine)
    const dial = this.#parts.world.sockets.dial(this.name, life)
    this.#certificate = await enrol({
      clock: life.clock,
      dial,
      gateways: this.#gateways(),
      seed: keyOf(this.name).secretKey,
      by: approver ? { approve: (code) => approver.chat?.approveLink(code) } : { name: this.user },
    })
    life.kill()
    await this.start()
  }

  async start(): Promise<void> {
    if (this.isUp || !this.#certificate) return
    const { world, disk } = this.#parts
    const life = new Life(world.scheduler, this.machine)
    this.#life = life
    this.#run = undefined
    const ports = {
      clock: life.clock,
      random: world.random.fork(`device ${this.name} ${this.#runs++}`),
      database: await disk.for(life).openDatabase(DATABASE),
      dial: world.sockets.dial(this.name, life),
      log: world.log(this.name),
    }
    const identity = new Identity({
      cluster: this.#clusterId,
      secretKey: keyOf(this.name).secretKey,
      sealed: this.#certificate,
    })
    const chat = new LocalChat(ports, { identity, gateways: this.#gateways() })
    const run = { life, chat, abort: new AbortController() }
    await chat.open()
    this.#run = run
    // A person who was sure of what was seen may find it gone after a power cut, like everything that was not synced.
    this.#position = Math.min(this.#position, Math.max(this.#powerCuts > 0 ? await chat.mark(MARK) : this.#position, 0))
    void this.#listen(run)
    for (const sent of this.sent) if (sent.outcome === undefined) void this.#attempt(run, sent)
  }

  kill(how: HowToDie): void {
    if (!this.#life || this.#life.isDead) return
    this.#run?.abort.abort()
    this.#life.kill(how)
    this.#parts.cluster.tap.forget(this.name)
    if (how === 'power') {
      this.#powerCuts++
      this.#parts.disk.powerCut()
    } else this.#parts.disk.processDied()
  }

  async send(to: string, text: string): Promise<void> {
    if (!this.#run) return
    const sent: Sent = { id: this.#makeId(), to, text, outcome: undefined }
    this.sent.push(sent)
    this.#parts.cluster.noteSent(sent.id)
    this.#note(sent, 'invoke')
    await this.#attempt(this.#run, sent)
  }

  /** The same message once more, under the same id: nothing may come of it but another acknowledgement. */
  async resend(): Promise<void> {
    const sent = this.sent.at(-1)
    if (this.#run && sent && sent.outcome !== 'fail') await this.#attempt(this.#run, sent)
  }

  async read(conversation: string): Promise<void> {
    const { history } = this.#parts.cluster
    const event = { op: 'read' as const, proc: this.name, user: this.user, conversation, life: this.#powerCuts }
    history.add({ ...event, type: 'invoke' })
    try {
      await this.chat?.markRead(conversation)
      history.add({ ...event, type: 'ok' })
    } catch (error) {
      this.#unexpected(error)
    }
  }

  /** Waits until the device says it has everything, and writes down what it then shows. */
  async settle(): Promise<void> {
    const run = this.#run
    if (!run) return
    const { history } = this.#parts.cluster
    const event = { op: 'settle' as const, proc: this.name, user: this.user, id: String(++this.#settles) }
    history.add({ ...event, type: 'invoke', complete: false, seen: [] })
    try {
      await run.chat.settled({ timeoutMs: SETTLE_TIMEOUT_MS })
      const { complete } = await run.chat.connection()
      await sleep(run.life.clock, SHOWN_AFTER_MS)
      const listed = await this.#listed(run.chat)
      const seen = Object.values(listed).flatMap((messages) => messages.map(({ id }) => id))
      history.add({ ...event, type: 'ok', complete, seen })
    } catch (error) {
      history.add({ ...event, type: 'info', complete: false, seen: [] })
      this.#unexpected(error)
    }
  }

  async askStatuses(): Promise<void> {
    for (const { id } of [...this.sent]) await this.#askStatus(id)
  }

  async state(): Promise<DeviceState> {
    const { name, user, chat } = this
    if (!chat) return { name, user, listed: {}, gaps: ['(down)'], queued: 0 }
    await this.askStatuses()
    const listed = await this.#listed(chat)
    const gaps: string[] = []
    for (const conversation of Object.keys(listed)) {
      if ((await chat.gaps(conversation)).length > 0) gaps.push(conversation)
    }
    return { name, user, listed, gaps, queued: (await chat.connection()).queued }
  }

  // ---- inside

  get #clusterId(): string {
    return this.#parts.cluster.clusterId
  }
  #gateways(): string[] {
    return this.#parts.cluster.gatewayUrls()
  }

  async #listed(chat: LocalChat): Promise<DeviceState['listed']> {
    const listed: DeviceState['listed'] = {}
    for (const other of this.#parts.cluster.users()) {
      const messages = await chat.history(other, { limit: 10_000 })
      listed[other] = messages.map(({ id, from, to, text, status }) => ({ id, from, to, text, status }))
    }
    return listed
  }

  async #attempt({ chat }: Run, sent: Sent): Promise<void> {
    try {
      const result = await chat.send(sent.to, sent.text, { id: sent.id, timeoutMs: SEND_TIMEOUT_MS })
      this.#told(sent, result)
    } catch (thrown) {
      const error = asChatError(thrown)
      const status = (error.details as { result?: SendResult } | undefined)?.result?.status
      const isRefused =
        status === 'refused' || (status === undefined && error.outcome === 'refused' && !error.retryable)
      this.#note(sent, isRefused ? 'fail' : 'info', error.code)
      if (isRefused) sent.outcome = 'fail'
      this.#unexpected(error)
    }
  }

  #told(sent: Sent, { status }: Pick<SendResult, 'status'>): void {
    if (status === 'queued') return
    if (status === 'refused') {
      if (sent.outcome !== 'fail') this.#note(sent, 'fail')
      sent.outcome = 'fail'
      return
    }
    if (sent.outcome === 'ok') return
    sent.outcome = 'ok'
    this.#measure(sent.id, [sent.to, this.user], 'acknowledged')
    this.#note(sent, 'ok')
  }

  async #askStatus(id: string): Promise<void> {
    const { chat } = this
    const sent = this.sent.find((one) => one.id === id)
    try {
      const report = await chat?.status(id)
      if (!report || !sent) return
      const time = (text: string | null | undefined): number | null => (text ? Date.parse(text) : null)
      const [recipient] = report.recipients
      const [storedAt, receivedAt, readAt] = [
        time(report.storedAt),
        time(recipient?.receivedAt),
        time(recipient?.readAt),
      ]
      const status = readAt ? 'read' : receivedAt ? 'received' : storedAt ? 'stored' : 'queued'
      this.#parts.cluster.history.add({
        op: 'status',
        type: 'ok',
        proc: this.name,
        id,
        status,
        storedAt,
        receivedAt,
        readAt,
        life: this.#powerCuts,
      })
      this.#told(sent, { status })
    } catch (error) {
      this.#unexpected(error)
    }
  }

  async #listen(run: Run): Promise<void> {
    try {
      for await (const event of run.chat.events({ after: this.#position, signal: run.abort.signal })) {
        if (run.life.isDead) return
        await this.#see(run, event)
        this.#position = event.position
        await run.chat.setMark(MARK, event.position)
      }
    } catch (error) {
      this.#unexpected(error)
    }
  }

  async #see({ chat }: Run, event: ChatEvent): Promise<void> {
    const { history } = this.#parts.cluster
    const { name: proc, user } = this
    if (event.type === 'receipt') {
      history.add({ op: 'receipt', type: 'ok', proc, id: event.id, user: event.user, status: event.status })
      await this.#askStatus(event.id)
      return
    }
    if (event.type !== 'message') return
    const { id, from, to, text } = event
    const shown = {
      op: 'show' as const,
      type: 'ok' as const,
      proc,
      user,
      id,
      from,
      to,
      text,
      hasGap: false,
      life: this.#powerCuts,
    }
    this.#measure(id, [to, from], 'shown')
    const inHistory = history.add(shown)
    if ((await chat.gaps(event.conversation)).length > 0) Object.assign(inHistory, { hasGap: true })
    if (this.#parts.cluster.scenario.eager.includes(this.name)) void this.read(event.conversation)
  }

  #measure(id: string, users: string[], because: 'acknowledged' | 'shown'): void {
    // What was durable when it was shown before still is: the world takes only what is not.
    if (because === 'shown' && this.#parts.cluster.knownDurable.has(id)) return
    const since = this.#parts.cluster.sentAt(id)
    const { found, needed } = this.#parts.cluster.durability({ id, users: [...new Set(users)], since })
    if (found >= needed) this.#parts.cluster.knownDurable.add(id)
    this.#parts.cluster.history.add({ op: 'durable', type: 'ok', proc: this.name, id, because, found, needed })
  }

  #note({ id, to, text }: Sent, type: 'invoke' | 'ok' | 'fail' | 'info', code?: string): void {
    const event = {
      op: 'send' as const,
      proc: this.name,
      type,
      id,
      user: this.user,
      to,
      text,
      ...(code ? { code } : {}),
    }
    this.#parts.cluster.history.add(event)
  }

  /** Errors with a code are answers; anything else is a defect. */
  #unexpected(error: unknown): void {
    this.#parts.cluster.defect(this.name, error)
  }
}
