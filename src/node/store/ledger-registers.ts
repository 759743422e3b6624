// The registers of one home: the acceptor's rules on rows of the database, and what else follows from a value that was accepted.
// Everything is staged in the turn of the call; the caller answers after `commit`.
import { mutant } from '../../platform/mutants.ts'
import { ChatError } from '../../protocol/errors.ts'
import type { Accepted, AcceptAnswer, Ballot, NewestAnswer, PrepareAnswer, Promiser } from '../../protocol/rpc.ts'
import { accept, emptyRegister, isStale, learn, merge, prepare, type RegisterState } from '../replication/acceptor.ts'
import { closedRegister, openRegisterName, versionRegister } from '../replication/ledger-keys.ts'
import { shardOf } from '../replication/placement.ts'
import { DecidedDigests } from './decided-digests.ts'
import { groupKey, nameOfRegisterKey, registerKey } from './keys.ts'
import type { KnownFeeds } from './known-feeds.ts'
import { openRegisterValue, openVersionValue, registerValue, versionValue } from './ledger-values.ts'
import type { StagedRows } from './staged-rows.ts'

export class LedgerRegisters {
  readonly #rows: StagedRows
  readonly #feeds: KnownFeeds
  readonly #onDamage: (key: Buffer) => ChatError
  readonly #decided: DecidedDigests

  constructor(rows: StagedRows, feeds: KnownFeeds, onDamage: (key: Buffer) => ChatError) {
    this.#rows = rows
    this.#feeds = feeds
    this.#decided = new DecidedDigests(rows)
    this.#onDamage = (key) => {
      this.#decided.forget()
      return onDamage(key)
    }
  }

  /** Of what is known to be decided, 16 bytes for each shard. */
  digests(): Promise<Buffer> {
    return this.#decided.all()
  }

  prepare(name: string, ballot: Ballot): Omit<PrepareAnswer, 'feed'> {
    const before = this.#get(name)
    const { state, answer } = prepare(before, ballot)
    if (mutant('promise-forgotten')) this.#rows.remember(keyOf(name), registerValue(keyOf(name), state))
    else this.#put(name, before, state)
    return answer
  }

  accept(name: string, { ballot, value, quorum }: Accepted & { quorum: Promiser[] }): AcceptAnswer {
    const before = this.#get(name)
    if (!before.isDecided && isStale(quorum, this.#feeds.all())) return { stale: true }
    const { state, answer } = accept(before, { ballot, value })
    this.#put(name, before, state)
    return answer
  }

  learn(name: string, value: Uint8Array): void {
    const before = this.#get(name)
    const state = learn(before, value)
    this.#put(name, before, state)
  }

  read(name: string): { value?: Uint8Array; isDecided: boolean } {
    const { accepted, isDecided } = this.#get(name)
    return { ...(accepted ? { value: accepted.value } : {}), isDecided }
  }

  /** The highest version accepted here: all before it are sealed. */
  newestVersion(group: string): number {
    const key = groupKey(group)
    const bytes = this.#rows.get(key)
    const version = bytes && openVersionValue(key, bytes)
    if (bytes && version === undefined) throw this.#onDamage(key)
    return version ?? 0
  }

  newest(group: string): NewestAnswer {
    const version = this.newestVersion(group)
    if (version === 0) return { version, isEstablished: false }
    const { value, isDecided } = this.read(versionRegister(group, version))
    const isClosed = version === 1 || this.read(closedRegister(group, version - 1)).isDecided
    return { version, ...(value ? { value } : {}), isEstablished: isDecided && isClosed }
  }

  /** Of a row of another home only what is decided: no promise, and nothing that may yet be another's. */
  takeOver(key: Buffer, value: Uint8Array): void {
    const { name, state } = openRow(key, value)
    if (state.isDecided && state.accepted) this.learn(name, state.accepted.value)
  }

  /** A row of another home. What is damaged here is taken from there, and told of; what is damaged there is RPC_INVALID. */
  keep(key: Buffer, value: Uint8Array): void {
    const { name, state: theirs } = openRow(key, value)
    const bytes = this.#rows.get(key)
    const own = bytes ? openRegisterValue(key, bytes) : emptyRegister
    if (!own) this.#onDamage(key) // with it went what this home promised, and the others may not know that
    this.#put(name, own ?? emptyRegister, merge(own ?? emptyRegister, theirs))
  }

  #get(name: string): RegisterState {
    const key = keyOf(name)
    const bytes = this.#rows.get(key)
    if (!bytes) return emptyRegister
    const state = openRegisterValue(key, bytes)
    if (!state) throw this.#onDamage(key)
    return state
  }

  #put(name: string, before: RegisterState, state: RegisterState): void {
    if (state === before) return
    const key = keyOf(name)
    this.#rows.put(key, registerValue(key, state))
    if (!before.isDecided) this.#decided.add(key, state)
    const { version } = openRegisterName(name)
    if (version && state.accepted) this.#seal(version.group, version.version)
  }

  /** From this turn on no message is taken at a version below. */
  #seal(group: string, version: number): void {
    const key = groupKey(group)
    const bytes = this.#rows.get(key)
    const known = (bytes && openVersionValue(key, bytes)) ?? 0
    if (version > known) this.#rows.put(key, versionValue(key, version))
  }
}

const openRow = (key: Buffer, value: Uint8Array): { name: string; state: RegisterState } => {
  const state = openRegisterValue(key, value)
  const name = nameOfRegisterKey(key)
  if (!state || !key.equals(keyOf(name))) throw new ChatError('RPC_INVALID', { message: 'A row is damaged' })
  return { name, state }
}
const keyOf = (name: string): Buffer => registerKey(shardOf(openRegisterName(name).place), name)
