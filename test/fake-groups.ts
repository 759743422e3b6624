// Groups in memory, changed by one person: what the terminal client is tested against. The rules are the real ones.
import type { ChatGroups, GroupReport, GroupRole } from '../src/client/api.ts'
import { ChatError } from '../src/protocol/errors.ts'
import { type GroupChange, type GroupState, nextState } from '../src/protocol/group.ts'

const reportOf = ({ name, version, members }: GroupState): GroupReport => ({
  group: name,
  version,
  members: [...members].map(([user, role]) => ({ user, role })),
})

export class FakeGroups implements ChatGroups {
  readonly #groups: GroupState[] = []
  readonly #me: string
  /** A new version was made: what the others would hear of. */
  onChange: (change: GroupChange, state: GroupState) => void = () => {}

  constructor(me: string) {
    this.#me = me
  }

  async create(name: string, users: string[] = []): Promise<GroupReport> {
    if (this.#groups.some((group) => group.name === name)) throw new ChatError('GROUP_NAME_TAKEN')
    return this.#make(undefined, { by: this.#me, change: 'create', name, users })
  }

  add(name: string, users: string[]): Promise<GroupReport> {
    return this.#change(name, { change: 'add', users })
  }

  remove(name: string, users: string[]): Promise<GroupReport> {
    return this.#change(name, { change: 'remove', users })
  }

  leave(name: string): Promise<GroupReport> {
    return this.#change(name, { change: 'leave' })
  }

  role(name: string, user: string, role: GroupRole): Promise<GroupReport> {
    return this.#change(name, { change: 'role', users: [user], role })
  }

  rename(name: string, newName: string): Promise<GroupReport> {
    return this.#change(name, { change: 'rename', name: newName })
  }

  async info(name: string): Promise<GroupReport> {
    return reportOf(this.#named(name))
  }

  async list(): Promise<GroupReport[]> {
    return this.#groups.filter(({ members }) => members.has(this.#me)).map(reportOf)
  }

  /** Somebody else changes a group. */
  async changeBy(by: string, name: string, change: Omit<GroupChange, 'by'>): Promise<GroupReport> {
    return this.#make(this.#named(name), { ...change, by })
  }

  async #change(name: string, change: Omit<GroupChange, 'by'>): Promise<GroupReport> {
    return this.changeBy(this.#me, name, change)
  }

  #named(name: string): GroupState {
    const found = this.#groups.find((group) => group.name === name)
    if (!found) throw new ChatError('GROUP_UNKNOWN')
    return found
  }

  #make(before: GroupState | undefined, change: GroupChange): GroupReport {
    const after = nextState(before, change, before?.group ?? `#group-${this.#groups.length}`)
    if (before) this.#groups.splice(this.#groups.indexOf(before), 1)
    this.#groups.push(after)
    this.onChange(change, after)
    return reportOf(after)
  }
}
