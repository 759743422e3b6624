// The group service of client-gateway.ts: one node that decides versions by the real rules and places copies in members' mailboxes.
import { toBase64 } from '../../src/protocol/bytes.ts'
import { ChatError } from '../../src/protocol/errors.ts'
import { checkChange, type GroupState, openGroup } from '../../src/protocol/group.ts'
import { userMailbox } from '../../src/protocol/names.ts'
import { openRecord } from '../../src/protocol/records.ts'
import type { Kept } from './client-gateway.ts'

export interface GroupServiceWorld {
  hasUser(user: string): boolean
  store(sealed: Uint8Array, options: { exceptDevice?: string; mailboxes?: string[] }): Kept
}

export class FakeGroupService {
  readonly #world: GroupServiceWorld
  readonly #versions = new Map<string, Uint8Array[]>()
  readonly #names = new Map<string, string>()
  /** Copies of versions that are decided while this is false come later. */
  isCopying = true
  readonly #uncopied: Uint8Array[] = []

  constructor(world: GroupServiceWorld) {
    this.#world = world
  }

  propose(sealed: Uint8Array): Uint8Array {
    const { header, state } = openGroup(sealed)
    const versions = this.#versions.get(state.group) ?? []
    const same = versions[state.version - 1]
    if (same && Buffer.from(same).equals(sealed)) return same
    const newest = versions.at(-1)
    if (newest && versions.length >= state.version) {
      throw new ChatError('GROUP_CONFLICT', { details: { record: toBase64(newest) } })
    }
    checkChange(newest && openGroup(newest).state, header, state)
    for (const user of header.users ?? state.members.keys()) {
      if (!this.#world.hasUser(user)) throw new ChatError('USER_UNKNOWN', { message: `There is no user ${user}` })
    }
    const owner = this.#names.get(state.name) ?? state.group
    if (owner !== state.group) {
      throw new ChatError('GROUP_NAME_TAKEN', this.#versions.has(owner) ? {} : { details: { group: owner } })
    }
    this.claim(state.name, state.group)
    this.#versions.set(state.group, [...versions, sealed])
    this.#uncopied.push(sealed)
    if (this.isCopying) this.copy()
    return sealed
  }

  claim(name: string, group: string): void {
    this.#names.set(name, group)
  }

  /** Brings decided versions to the members before and after. */
  copy(): void {
    for (const sealed of this.#uncopied.splice(0)) {
      const { state } = openGroup(sealed)
      const before = this.#versions.get(state.group)?.[state.version - 2]
      const users = new Set([...state.members.keys(), ...(before ? openGroup(before).state.members.keys() : [])])
      this.#world.store(sealed, { mailboxes: [...users].map(userMailbox) })
    }
  }

  /** To a member of it; of versions in which that user was, or whose change concerned it. */
  get(which: string, version: number | undefined, user: string): Uint8Array {
    const versions = this.#versions.get(this.#names.get(which) ?? which)
    const sealed = versions?.at(version === undefined ? -1 : version - 1)
    if (!sealed) throw new ChatError('GROUP_UNKNOWN')
    const { state } = openGroup(sealed)
    const before = versions?.[state.version - 2]
    const isConcerned = state.members.has(user) || (before && openGroup(before).state.members.has(user))
    if (!isConcerned) throw new ChatError('GROUP_DENIED')
    return sealed
  }

  send(sealed: Uint8Array, exceptDevice: string | undefined): Kept {
    const { header, group = '' } = openRecord(sealed)
    const newest = this.#versions.get(group)?.at(-1)
    if (!newest) throw new ChatError('GROUP_UNKNOWN')
    const { members }: GroupState = openGroup(newest).state
    if (!members.has(header.from)) throw new ChatError('GROUP_DENIED')
    const mailboxes = [...members.keys()].map(userMailbox)
    return this.#world.store(sealed, { mailboxes, ...(exceptDevice === undefined ? {} : { exceptDevice }) })
  }
}
