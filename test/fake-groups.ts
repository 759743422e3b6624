// Groups in memory, changed by one person: what the terminal client is tested against. The rules are the real ones.
import type { ChatGroups, GroupReport, GroupRole, HistoryChange } from '../src/client/api.ts'
import { ChatError } from '../src/protocol/errors.ts'
import { type GroupChange, type GroupState, nextState } from '../src/protocol/group.ts'

const reportOf = ({ name, version, topic, members }: GroupState): GroupReport => ({
  group: name,
  version,
  ...(topic === undefined ? {} : { topic }),
  members: [...members].map(([user, role]) => ({ user, role })),
})

export class FakeGroups implements ChatGroups {
  readonly #groups: GroupState[] = []
  readonly #me: string
  readonly #nextAtMs: () => number
  readonly #changes: (Omit<HistoryChange, 'conversation'> & { group: string })[] = []
  /** A new version was made: what the others would hear of. */
  onChange: (change: GroupChange, state: GroupState) => void = () => {}

  constructor(me: string, nextAtMs: () => number) {
    this.#me = me
    this.#nextAtMs = nextAtMs
  }

  /** What was changed in the group of this name, oldest first. */
  changesOf(conversation: string): HistoryChange[] {
    const group = this.#groups.find(({ name }) => name === conversation)?.group
    return this.#changes
      .filter((change) => change.group === group)
      .map(({ group: _group, ...change }) => ({ ...change, conversation }))
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

  topic(name: string, topic: string): Promise<GroupReport> {
    return this.#change(name, { change: 'topic', topic })
  }

  compared(name: string): Promise<GroupReport> {
    return this.info(name)
  }

  topicOf(name: string): string | undefined {
    return this.#groups.find((group) => group.name === name)?.topic
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
    const { by, users = [], role, name, ...what } = change
    this.#changes.push({
      type: 'group',
      id: `change-${this.#changes.length}`,
      version: after.version,
      by,
      users: [...users],
      ...what,
      ...(role ? { role } : {}),
      ...(name ? { name } : change.change === 'create' ? { name: after.name } : {}),
      group: after.group,
      at: new Date(this.#nextAtMs()).toISOString(),
    })
    this.onChange(change, after)
    return reportOf(after)
  }
}
