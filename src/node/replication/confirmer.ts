// Makes sure that records read from fewer than W homes are on W homes of every mailbox they are for, before anybody sees them:
// asks as many homes as that takes what they have (one request per home), the others only when those are not enough, and writes
// back where too few have it.
import { mutant } from '../../platform/mutants.ts'
import { asChatError, ChatError } from '../../protocol/errors.ts'
import { limits } from '../../protocol/limits.ts'
import { openRecord, recordKey } from '../../protocol/records.ts'
import { storeHas, type StoredRecord, type StoreWrite } from '../../protocol/rpc.ts'
import type { HomeCalls, HomePorts } from './home-calls.ts'
import type { QuorumWriter } from './quorum-writer.ts'
import { type PlannedHome, type WritePlan, WritePlans } from './write-plan.ts'

/** Where records were read: that home has them on disk, in that mailbox. */
export interface Origin {
  home: string
  mailbox: string
  /** Of the map under which it was asked. */
  epoch: number
}
interface Pending {
  write: StoreWrite
  key: Buffer
  homes: PlannedHome[]
  /** Those of the homes that are asked first. */
  first: ReadonlySet<string>
  needed: number[]
  openGroups: number
}
type FirstHomes = (plan: WritePlan) => ReadonlySet<string>
/** What one home is asked: keys by mailbox, and for each key which record it is. */
interface Question {
  items: Map<string, { keys: Buffer[]; asked: Pending[] }>
  /** For each record how many of this home's mailboxes must have it. */
  missing: Map<Pending, number>
}

export class Confirmer {
  readonly #ports: HomePorts
  readonly #homes: HomeCalls
  readonly #writer: QuorumWriter
  readonly #plans = new WritePlans()

  constructor(ports: HomePorts, homes: HomeCalls, writer: QuorumWriter) {
    this.#ports = ports
    this.#homes = homes
    this.#writer = writer
  }

  /**
   * For each record whether it is on W homes of all its mailboxes now; of one to a group, of its author's and of the one it was read
   * from: so a member's receipt proves that it is stored. The group service brings it to the other members. Never rejects.
   */
  async confirm(records: readonly StoredRecord[], origin: Origin): Promise<boolean[]> {
    const { map } = this.#ports.view.current()
    const isOnlyCopy = map.homes.current.n === 1 && !map.homes.next
    // The one home handed it out after its fsync, so that is W.
    if (isOnlyCopy || mutant('unconfirmed-delivered')) return records.map(() => true)
    const firstOf = this.#firstHomes(origin.home)
    const pending = records.map((record) => this.#open(record, origin, firstOf))
    const open = pending.filter((one) => one !== undefined)
    // What was read under another map proves nothing under this one.
    await this.#askHomes(open, origin.epoch === map.epoch ? origin : undefined)
    // Answers given under different maps prove nothing together: the homes may have been moving in between.
    const isSameMap = this.#ports.view.current().map.epoch === map.epoch
    const lacking = open.filter((one) => one.openGroups > 0 || !isSameMap)
    const writtenBack = await Promise.all(lacking.map(({ write }) => this.#writeBack(write)))
    const unconfirmed = new Set(lacking.filter((_, i) => !writtenBack[i]))
    return pending.map((one) => one !== undefined && !unconfirmed.has(one))
  }

  #open({ sealed, acceptedAt }: StoredRecord, { mailbox }: Origin, firstOf: FirstHomes): Pending | undefined {
    try {
      const { header, mailboxes: named, group } = openRecord(sealed)
      const isGroupVersion = header.k === 'group'
      const mailboxes = group === undefined ? named : [...new Set([mailbox, ...(isGroupVersion ? [] : named)])]
      const plan = this.#plans.of(this.#ports.view.current().map, mailboxes)
      const needed = plan.groups.map((group) => group.needed)
      const write = { mailboxes, sealed, acceptedAt }
      const key = recordKey(header.id, sealed)
      return { write, key, homes: plan.homes, first: firstOf(plan), needed, openGroups: needed.length }
    } catch (error) {
      this.#ports.log.warn({ error: asChatError(error).message }, 'a home holds a record that is malformed')
      return undefined
    }
  }

  /** The same for all records of a plan. */
  #firstHomes(origin: string): FirstHomes {
    const known = new Map<WritePlan, ReadonlySet<string>>()
    return (plan) => {
      let first = known.get(plan)
      if (!first) known.set(plan, (first = this.#chooseFirst(plan, origin)))
      return first
    }
  }

  /** As few connected homes as make the quorums, the one that has it among them. */
  #chooseFirst({ homes, groups }: WritePlan, origin: string): ReadonlySet<string> {
    const { transport } = this.#ports
    const first = new Set<string>()
    const needed = groups.map((group) => group.needed)
    for (const { peer, groups: own } of homes.toSorted(
      (a, b) => Number(b.peer === origin) - Number(a.peer === origin),
    )) {
      if (!transport.isConnected(peer) || own.every((group) => (needed[group] ?? 0) <= 0)) continue
      first.add(peer)
      for (const group of own) needed[group] = (needed[group] ?? 0) - 1
    }
    return first
  }

  /** Resolves when every record is confirmed or every home has answered. */
  #askHomes(pending: Pending[], origin: Origin | undefined): Promise<void> {
    return new Promise((resolve) => {
      let unanswered = 0
      let isFirst = true
      const settle = (): void => {
        if (pending.every(isConfirmed)) end()
        else if (unanswered === 0) askRest()
      }
      const ask = (questions: Map<string, Question>): void => {
        unanswered += questions.size
        for (const [peer, question] of questions) {
          void this.#ask(peer, question).then(() => {
            unanswered--
            settle()
          })
        }
        settle()
      }
      const askRest = (): void => {
        if (!isFirst) return end()
        isFirst = false
        const open = pending.filter((one) => !isConfirmed(one))
        ask(this.#questions(open, (one, peer) => !one.first.has(peer)))
      }
      const end = (): void => {
        cancel()
        resolve()
      }
      const cancel = this.#ports.clock.after(limits.hedgeMs, () => isFirst && askRest())
      ask(this.#questions(pending, (one, peer) => one.first.has(peer), origin))
    })
  }

  /** What to ask whom. What `origin` has shown is not asked again, and counts. */
  #questions(
    pending: readonly Pending[],
    isAsked: (one: Pending, peer: string) => boolean,
    origin?: Origin,
  ): Map<string, Question> {
    const questions = new Map<string, Question>()
    for (const one of pending) {
      for (const { peer, mailboxes } of one.homes) {
        if (!isAsked(one, peer) || !this.#ports.transport.isConnected(peer)) continue
        const unknown = peer === origin?.home ? mailboxes.filter((mailbox) => mailbox !== origin.mailbox) : mailboxes
        if (unknown.length === 0) countHome(one, peer)
        else addQuestion(questions, { one, peer, mailboxes: unknown })
      }
    }
    return questions
  }

  /** Counts what the home says that it has; nothing when it does not answer. */
  async #ask(peer: string, { items, missing }: Question): Promise<void> {
    try {
      const asked = [...items].map(([mailbox, { keys }]) => ({ mailbox, keys: Buffer.concat(keys) }))
      const { has } = await this.#homes.ask(peer, storeHas, { items: asked })
      for (const [i, item] of [...items.values()].entries()) {
        for (const [j, one] of item.asked.entries()) {
          if (has[i]?.[j] !== 1) continue
          const left = (missing.get(one) ?? 0) - 1
          missing.set(one, left)
          if (left === 0) countHome(one, peer)
        }
      }
    } catch (error) {
      this.#ports.log.debug({ peer, error: asChatError(error).message }, 'a home did not say what it has')
    }
  }

  async #writeBack(write: StoreWrite): Promise<boolean> {
    try {
      await this.#writer.append(write)
      return true
    } catch (error) {
      if (!(error instanceof ChatError)) throw error
      return false
    }
  }
}

const isConfirmed = ({ openGroups }: Pending): boolean => openGroups === 0

const addQuestion = (
  questions: Map<string, Question>,
  { one, peer, mailboxes }: { one: Pending; peer: string; mailboxes: string[] },
): void => {
  let question = questions.get(peer)
  if (!question) questions.set(peer, (question = { items: new Map(), missing: new Map() }))
  question.missing.set(one, mailboxes.length)
  for (const mailbox of mailboxes) {
    let item = question.items.get(mailbox)
    if (!item) question.items.set(mailbox, (item = { keys: [], asked: [] }))
    item.keys.push(one.key)
    item.asked.push(one)
  }
}

/** This home has the record in all its mailboxes. */
const countHome = (one: Pending, peer: string): void => {
  for (const group of one.homes.find((home) => home.peer === peer)?.groups ?? []) {
    const needed = (one.needed[group] ?? 0) - 1
    one.needed[group] = needed
    if (needed === 0) one.openGroups--
  }
}
