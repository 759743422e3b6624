// Makes sure that records read from fewer than W homes are on W homes of every mailbox they are for, before anybody sees them:
// asks the homes what they have (one request per home), and writes back where too few do.
import { mutant } from '../../platform/mutants.ts'
import { asChatError, ChatError } from '../../protocol/errors.ts'
import { openRecord, recordKey } from '../../protocol/records.ts'
import { storeHas, type StoredRecord, type StoreWrite } from '../../protocol/rpc.ts'
import type { HomeCalls, HomePorts } from './home-calls.ts'
import type { QuorumWriter } from './quorum-writer.ts'
import { type PlannedHome, WritePlans } from './write-plan.ts'

interface Pending {
  write: StoreWrite
  key: Buffer
  homes: PlannedHome[]
  needed: number[]
  openGroups: number
}
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
   * For each record whether it is on W homes of all its mailboxes now; of one to a group, of the mailbox it was read from: the group
   * service brings it to the other members. Never rejects.
   */
  async confirm(records: readonly StoredRecord[], mailbox: string): Promise<boolean[]> {
    const { map } = this.#ports.view.current()
    const isOnlyCopy = map.homes.current.n === 1 && !map.homes.next
    // The one home handed it out after its fsync, so that is W.
    if (isOnlyCopy || mutant('unconfirmed-delivered')) return records.map(() => true)
    const pending = records.map((record) => this.#open(record, mailbox))
    const open = pending.filter((one) => one !== undefined)
    await this.#askHomes(open)
    // Answers given under different maps prove nothing together: the homes may have been moving in between.
    const isSameMap = this.#ports.view.current().map.epoch === map.epoch
    const lacking = open.filter((one) => one.openGroups > 0 || !isSameMap)
    const writtenBack = await Promise.all(lacking.map(({ write }) => this.#writeBack(write)))
    const unconfirmed = new Set(lacking.filter((_, i) => !writtenBack[i]))
    return pending.map((one) => one !== undefined && !unconfirmed.has(one))
  }

  #open({ sealed, acceptedAt }: StoredRecord, mailbox: string): Pending | undefined {
    try {
      const { header, mailboxes: named, group } = openRecord(sealed)
      const mailboxes = group === undefined ? named : [mailbox]
      const plan = this.#plans.of(this.#ports.view.current().map, mailboxes)
      const needed = plan.groups.map((group) => group.needed)
      const write = { mailboxes, sealed, acceptedAt }
      return { write, key: recordKey(header.id, sealed), homes: plan.homes, needed, openGroups: needed.length }
    } catch (error) {
      this.#ports.log.warn({ error: asChatError(error).message }, 'a home holds a record that is malformed')
      return undefined
    }
  }

  /** Resolves when every record is confirmed or every home has answered. */
  #askHomes(pending: Pending[]): Promise<void> {
    const questions = this.#questions(pending)
    let unconfirmed = pending.length
    let unanswered = questions.size
    return new Promise((resolve) => {
      const settle = (): void => {
        if (unconfirmed === 0 || unanswered === 0) resolve()
      }
      settle()
      for (const [peer, question] of questions) {
        void this.#ask(peer, question).then((confirmed) => {
          unanswered--
          unconfirmed -= confirmed
          settle()
        })
      }
    })
  }

  #questions(pending: Pending[]): Map<string, Question> {
    const questions = new Map<string, Question>()
    for (const one of pending) {
      for (const { peer, mailboxes } of one.homes) {
        if (!this.#ports.transport.isConnected(peer)) continue
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
    }
    return questions
  }

  /** How many records this home's answer confirmed; 0 when it did not answer. */
  async #ask(peer: string, { items, missing }: Question): Promise<number> {
    try {
      const asked = [...items].map(([mailbox, { keys }]) => ({ mailbox, keys: Buffer.concat(keys) }))
      const { has } = await this.#homes.ask(peer, storeHas, { items: asked })
      let confirmed = 0
      for (const [i, item] of [...items.values()].entries()) {
        for (const [j, one] of item.asked.entries()) {
          if (has[i]?.[j] !== 1) continue
          const left = (missing.get(one) ?? 0) - 1
          missing.set(one, left)
          if (left === 0 && countHome(one, peer)) confirmed++
        }
      }
      return confirmed
    } catch (error) {
      this.#ports.log.debug({ peer, error: asChatError(error).message }, 'a home did not say what it has')
      return 0
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

/** True when this home was the last that was needed. */
const countHome = (one: Pending, peer: string): boolean => {
  if (one.openGroups === 0) return false
  for (const group of one.homes.find((home) => home.peer === peer)?.groups ?? []) {
    const needed = (one.needed[group] ?? 0) - 1
    one.needed[group] = needed
    if (needed === 0) one.openGroups--
  }
  return one.openGroups === 0
}
