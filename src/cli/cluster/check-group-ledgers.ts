// What the homes promised to groups: versions without holes that follow from each other, the same on every home, and no message that is
// still on its way to the members when it should long be there. Of `chatd cluster check`; it looks into no mailbox.
import { equalBytes } from '../../protocol/bytes.ts'
import type { ClusterMap } from '../../protocol/cluster-map.ts'
import { ChatError } from '../../protocol/errors.ts'
import { checkChange, type GroupState, openGroup } from '../../protocol/group.ts'
import { groupMailbox } from '../../protocol/names.ts'
import { idFromBytes } from '../../protocol/records.ts'
import { ledgerInspect, type ResponseOf } from '../../protocol/rpc.ts'
import { homesOf } from '../../node/replication/placement.ts'
import { majorityOf } from '../../node/replication/electorate.ts'
import { closedRegister, openRegisterName, versionRegister } from '../../node/replication/ledger-keys.ts'
import type { Home } from './check-homes.ts'
import { whyNot } from './check-records.ts'
import type { Problem } from './check-report.ts'

type Page = ResponseOf<typeof ledgerInspect>

interface Register {
  value: Uint8Array
  /** Homes that hold this value, and whether one of them knows it to be decided. */
  on: string[]
  isDecided: boolean
}
/** Younger ones are being finished just now. */
const OPEN_MS = 10_000

export class GroupLedgerCheck {
  readonly #map: ClusterMap
  readonly problems: Problem[] = []
  readonly #registers = new Map<string, Register>()

  private constructor(map: ClusterMap) {
    this.#map = map
  }

  static async read(map: ClusterMap, homes: Home[]): Promise<GroupLedgerCheck> {
    const check = new GroupLedgerCheck(map)
    for (const home of homes) await check.#read(home)
    check.#openGroups()
    return check
  }

  async #read(home: Home): Promise<void> {
    let after: Uint8Array | undefined
    do {
      const page: Page = await home.ask(ledgerInspect, { epoch: this.#map.epoch, ...(after ? { after } : {}) })
      if (!page.takesPart && !after) {
        this.#problem({ kind: 'lag', home: home.name, text: `${home.name} is reading back what it promised to groups` })
      }
      for (const name of page.damaged)
        this.#problem({ kind: 'damage', home: home.name, text: `${home.name}: ${name} is damaged` })
      for (const register of page.registers) this.#addRegister(home, register)
      for (const message of page.messages) this.#addMessage(home, message)
      after = page.next
    } while (after)
  }

  #addRegister(home: Home, { name, value, isDecided }: Page['registers'][number]): void {
    if (!value) return
    const known = this.#registers.get(name)
    if (known && isDecided && known.isDecided && !equalBytes(known.value, value)) {
      this.#problem({
        kind: 'damage',
        home: home.name,
        text: `${name} has two values: ${known.on.join()} and ${home.name}`,
      })
    }
    if (!known || (isDecided && !known.isDecided)) this.#registers.set(name, { value, on: [home.name], isDecided })
    else if (equalBytes(known.value, value)) known.on.push(home.name)
  }

  #addMessage(home: Home, { group, version, key, openMs = 0 }: Page['messages'][number]): void {
    if (openMs <= OPEN_MS) return
    const text = `${idFromBytes(key)} is open at version ${version} of ${group} on ${home.name} for ${Math.round(openMs / 1_000)} s`
    this.#problem({ kind: 'lag', home: home.name, text })
  }

  #openGroups(): void {
    const newest = new Map<string, number>()
    for (const [name, { isDecided }] of this.#registers) {
      const { version } = openRegisterName(name)
      if (version && isDecided) newest.set(version.group, Math.max(version.version, newest.get(version.group) ?? 0))
    }
    for (const [group, last] of newest) {
      const states: GroupState[] = []
      for (let version = 1; version <= last; version++) this.#openVersion(group, version, states)
    }
  }

  #openVersion(group: string, version: number, states: GroupState[]): void {
    const name = `version ${version} of ${group}`
    const { current } = homesOf(this.#map, groupMailbox(group))
    const register = this.#registers.get(versionRegister(group, version))
    if (!register || register.on.length < majorityOf(current)) {
      return this.#problem({ kind: 'lost', text: `${name} is on ${register?.on.join(', ') ?? 'no home'} only` })
    }
    if (version > 1 && !this.#registers.has(closedRegister(group, version - 1))) {
      this.#problem({ kind: 'lag', text: `${name} is decided, and not yet what version ${version - 1} had taken` })
    }
    try {
      const { header, state } = openGroup(register.value)
      if (state.group !== group || state.version !== version) throw new ChatError('GROUP_INVALID')
      checkChange(states.at(-1), header, state)
      states.push(state)
    } catch (error) {
      this.#problem({ kind: 'invalid', text: `${name}: ${whyNot(error)}` })
    }
  }

  #problem(problem: Problem): void {
    this.problems.push(problem)
  }
}
