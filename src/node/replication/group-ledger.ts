// The client of the group ledger: what the group service asks of the homes of a group. It owns no data; every answer is one that a
// quorum of homes gave under the epoch of the newest map this node knows.
import { LruMap } from '../../platform/lru-map.ts'
import { mutant } from '../../platform/mutants.ts'
import type { RandomSource } from '../../platform/ports.ts'
import { fromUtf8, toMapKey, toUtf8 } from '../../protocol/bytes.ts'
import { ChatError } from '../../protocol/errors.ts'
import { splitKeys } from '../../protocol/records.ts'
import {
  ledgerAccept,
  ledgerLearn,
  ledgerNewest,
  ledgerPrepare,
  ledgerRead,
  type NewestAnswer,
  type ResponseOf,
} from '../../protocol/rpc.ts'
import { isEnough, poll, type Poll, readersOf, votersOf } from './electorate.ts'
import { FanOuts } from './fan-outs.ts'
import type { Decided, FanOut, GroupLedgerPort } from './group-ledger-port.ts'
import type { HomeCalls, HomePorts } from './home-calls.ts'
import { LedgerCalls } from './ledger-calls.ts'
import { closedRegister, nameRegister, openRegisterName, versionRegister } from './ledger-keys.ts'
import { Registers } from './register.ts'
import { isSoundValue } from './sound-values.ts'

type IsSound = (key: string, value: Uint8Array) => boolean

/** Lists of what was open when a version ended: small, and never changed. */
const MAX_LISTS = 1_000

export class GroupLedger implements GroupLedgerPort {
  readonly #ports: HomePorts
  readonly #calls: LedgerCalls
  readonly #registers: Registers
  readonly #fanOuts: FanOuts
  readonly #lists = new LruMap<string, ReadonlySet<string>>({ max: MAX_LISTS })
  readonly #isSound: IsSound

  /** `isSound`: tests and the simulation of registers decide on values that are no versions. */
  constructor(ports: HomePorts & { random: RandomSource }, homes: HomeCalls, isSound: IsSound = isSoundValue) {
    this.#ports = ports
    this.#isSound = isSound
    this.#calls = new LedgerCalls(ports, homes)
    this.#registers = new Registers({
      clock: ports.clock,
      random: ports.random,
      voters: (key) => votersOf(this.#map, openRegisterName(key).place),
      isConnected: (peer) => ports.transport.isConnected(peer),
      prepare: async (peer, request) => {
        const answer = await this.#calls.ask(peer, ledgerPrepare, request)
        return this.#sound(answer, request.key, answer.decided, answer.accepted?.value)
      },
      accept: async (peer, request) => {
        const answer = await this.#calls.ask(peer, ledgerAccept, request)
        return this.#sound(answer, request.key, answer.decided)
      },
    })
    this.#fanOuts = new FanOuts(ports, this.#calls, (group, version) => this.#openAt(group, version))
  }

  async claimName(name: string, group: string): Promise<string> {
    return fromUtf8(await this.#decide(nameRegister(name), toUtf8(group)))
  }

  async lookUpName(name: string): Promise<string | undefined> {
    const value = await this.#read(nameRegister(name))
    return value && fromUtf8(value)
  }

  async newest(group: string): Promise<Decided | undefined> {
    const { answers } = await this.#ask(versionRegister(group, 1), async (peer, epoch) => {
      const answer = await this.#calls.ask(peer, ledgerNewest, { epoch, group })
      const { version, value } = answer
      if (version === 0) return answer
      const key = versionRegister(group, version)
      if (!value) throw this.#unsound(key) // a version that nobody can look at would hide the group
      return this.#sound(answer, key, value)
    })
    const version = Math.max(...[...answers.values()].map((answer) => answer.version))
    const found = [...answers.values()].filter((answer) => answer.version === version)
    const best = found.find(({ isEstablished }) => isEstablished) ?? found[0]
    if (version === 0 || !best?.value) return undefined
    const sealed = isShown(best) ? best.value : await this.#establish(group, version, best.value)
    return { version, sealed }
  }

  at(group: string, version: number): Promise<Uint8Array | undefined> {
    return this.#read(versionRegister(group, version))
  }

  propose(group: string, version: number, sealed: Uint8Array): Promise<Uint8Array> {
    return this.#establish(group, version, sealed)
  }

  fanOut(item: FanOut): Promise<{ version: number }> {
    return this.#fanOuts.take(item)
  }

  done(group: string, version: number, keys: Uint8Array[]): void {
    this.#fanOuts.done(group, version, keys)
  }

  unfinished(olderThanMs: number): Promise<FanOut[]> {
    return this.#fanOuts.unfinished(olderThanMs)
  }

  async settle(item: FanOut): Promise<'durable' | 'void'> {
    const newest = await this.newest(item.group)
    if ((newest?.version ?? 0) <= item.version) {
      const { version } = await this.#fanOuts.take(item)
      return version === item.version ? 'durable' : 'void'
    }
    return this.#fanOuts.settle(item)
  }

  get #map() {
    return this.#ports.view.current().map
  }

  /**
   * Decides a version, and then what of the version before was taken in time: whatever W homes have of it is on one of the majority
   * that has the new version, and taken there before it was sealed. Only when that list is decided too is the version told to anybody:
   * what is first sent later can be on no list.
   */
  async #establish(group: string, version: number, sealed: Uint8Array): Promise<Uint8Array> {
    const key = versionRegister(group, version)
    const decided = await this.#registers.propose(key, sealed)
    const open = await this.#learn(key, decided)
    const isFirst = version === 1 || mutant('open-ones-not-written-down')
    if (!isFirst) await this.#decide(closedRegister(group, version - 1), Buffer.concat(open))
    return decided
  }

  /** Tells all homes; resolves with what a majority of each set had open. */
  async #learn(key: string, value: Uint8Array): Promise<Uint8Array[]> {
    const voters = votersOf(this.#map, openRegisterName(key).place)
    const { answers } = await poll(voters, {
      ask: async (peer) => {
        const { open } = await this.#calls.ask(peer, ledgerLearn, { epoch: voters.epoch, key, value })
        return splitKeys(open) // what is no list of keys is no answer
      },
      counts: () => true,
    })
    if (!isEnough(voters, (peer) => answers.has(peer))) throw new ChatError('OUTCOME_UNKNOWN')
    return [...new Map([...answers.values()].flat().map((each) => [toMapKey(each), each])).values()]
  }

  async #decide(key: string, value: Uint8Array): Promise<Uint8Array> {
    const decided = await this.#registers.propose(key, value)
    void this.#learn(key, decided).catch(() => {}) // whoever reads later finds it out again
    return decided
  }

  /** Linearizable; what somebody began is finished. */
  async #read(key: string): Promise<Uint8Array | undefined> {
    const { answers } = await this.#ask(
      key,
      async (peer, epoch) => {
        const answer = await this.#calls.ask(peer, ledgerRead, { epoch, key })
        return this.#sound(answer, key, answer.value)
      },
      ({ isDecided }) => isDecided,
    )
    const all: ResponseOf<typeof ledgerRead>[] = [...answers.values()]
    const decided = all.find(({ isDecided }) => isDecided)
    if (decided) return decided.value
    const begun = all.find(({ value }) => value !== undefined)?.value
    if (!begun) return undefined
    const { version } = openRegisterName(key)
    return version ? this.#establish(version.group, version.version, begun) : this.#decide(key, begun)
  }

  /** An answer that tells what the register cannot hold is none. */
  #sound<Answer>(answer: Answer, key: string, ...values: (Uint8Array | undefined)[]): Answer {
    const isSound = values.every((value) => value === undefined || this.#isSound(key, value))
    if (isSound || mutant('unsound-believed')) return answer
    throw this.#unsound(key)
  }

  #unsound(key: string): ChatError {
    this.#ports.log.warn({ key }, 'a home tells what the ledger of groups cannot hold; check its disk, and who runs it')
    return new ChatError('RPC_INVALID', { message: `A home tells what ${key} cannot hold` })
  }

  /** A majority of the present homes. QUORUM_UNAVAILABLE. */
  async #ask<Answer>(
    key: string,
    ask: (peer: string, epoch: number) => Promise<Answer>,
    settles: (answer: Answer) => boolean = () => false,
  ): Promise<Poll<Answer>> {
    const { place } = openRegisterName(key)
    const found = await this.#calls.retrying(async () => {
      const readers = readersOf(this.#map, place)
      const { epoch } = readers
      const result = await poll(readers, { ask: (peer) => ask(peer, epoch), counts: () => true, settles })
      const isSettled = [...result.answers.values()].some(settles)
      return isSettled || isEnough(readers, (peer) => result.answers.has(peer)) ? result : undefined
    })
    if (!found) throw new ChatError('QUORUM_UNAVAILABLE')
    return found
  }

  /** What was open at `version` when the next took its place: a decided fact, so it is remembered. */
  async #openAt(group: string, version: number): Promise<ReadonlySet<string>> {
    const id = `${group}/${version}`
    const known = this.#lists.get(id)
    if (known) return known
    let list = await this.#read(closedRegister(group, version))
    if (!list) {
      // The next version is decided, or nobody would ask; this writes the list down.
      const next = await this.at(group, version + 1)
      if (!next) throw new ChatError('QUORUM_UNAVAILABLE')
      await this.#establish(group, version + 1, next)
      list = await this.#read(closedRegister(group, version))
    }
    if (!list) throw new ChatError('QUORUM_UNAVAILABLE')
    const keys = new Set(splitKeys(list).map(toMapKey))
    this.#lists.set(id, keys)
    return keys
  }
}

const isShown = ({ isEstablished }: NewestAnswer): boolean => isEstablished || mutant('undecided-shown')
