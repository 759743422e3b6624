// Groups as homes hold them: every record to a group is in the mailboxes of exactly one version's members, that version is one its author
// knew or a later one with him in it, and a version is decided once. Of versions that have expired nothing can be said.
import { mailboxOwner, userMailbox } from '../../protocol/names.ts'
import type { CheckedRecord, GroupFacts } from './check-records.ts'
import type { Problem } from './check-report.ts'

interface Seen {
  record: CheckedRecord
  facts: GroupFacts
  /** Where it is, and where all homes have it. */
  mailboxes: Set<string>
  whole: Set<string>
}

export class GroupCheck {
  /** Members by group and version. */
  readonly #versions = new Map<string, Map<number, Set<string>>>()
  readonly #records = new Map<string, Seen>()
  readonly #problems: Problem[] = []

  /** `key`: one text for each record. */
  saw(key: string, record: CheckedRecord, { mailbox, isWhole }: { mailbox: string; isWhole: boolean }): void {
    const { group: facts } = record
    if (!facts) return
    let seen = this.#records.get(key)
    if (!seen) {
      this.#records.set(key, (seen = { record, facts, mailboxes: new Set(), whole: new Set() }))
      if (facts.members) this.#learn(facts, facts.members)
    }
    if (!mailbox.startsWith('u:')) return // the group's own
    seen.mailboxes.add(mailbox)
    if (isWhole) seen.whole.add(mailbox)
  }

  /** What is wrong, and for each record the mailboxes it is whole in and those that it must be in. */
  result(): { problems: Problem[]; places: { id: string; whole: Set<string>; wanted: string[] }[] } {
    const places = [...this.#records.values()].map((seen) => {
      const wanted = this.#wanted(seen)
      return { id: seen.record.id, whole: seen.whole, wanted: wanted ?? [...seen.mailboxes] }
    })
    return { problems: this.#problems, places }
  }

  #learn({ id, version }: GroupFacts, members: string[]): void {
    const versions = this.#versions.get(id) ?? new Map<number, Set<string>>()
    this.#versions.set(id, versions)
    if (versions.has(version)) this.#problem('invalid', `version ${version} of the group ${id} was decided twice`)
    versions.set(version, new Set(members))
  }

  /** The mailboxes that it belongs in, by the version that fits best; undefined when no version can tell. */
  #wanted(seen: Seen): string[] | undefined {
    const { record, facts, mailboxes } = seen
    const options = facts.members ? this.#ofChange(facts) : this.#ofMessage(facts)
    if (options.length === 0) return undefined
    const present = new Set([...mailboxes].map(mailboxOwner))
    const misfits = (users: Set<string>): number => users.symmetricDifference(present).size
    const users = options.reduce((best, other) => (misfits(other) < misfits(best) ? other : best))
    const [lacking, strangers] = [users.difference(present), present.difference(users)]
    const name = `${record.kind} ${record.id} to the group ${facts.id}`
    if (lacking.size > 0) this.#problem('lag', `${name} is not with ${lacking.size} of its ${users.size} members yet`)
    if (strangers.size > 0)
      this.#problem('invalid', `${name} is with ${[...strangers].join(' and ')}, not members of it`)
    return [...users].map(userMailbox)
  }

  /** Any version that its author knew or a later one, with him in it. */
  #ofMessage({ id, version, author }: GroupFacts): Set<string>[] {
    const versions = [...(this.#versions.get(id) ?? [])]
    return versions.filter(([number, users]) => number >= version && users.has(author)).map(([, users]) => users)
  }

  /** The members before and after it. */
  #ofChange({ id, version }: GroupFacts): Set<string>[] {
    const versions = this.#versions.get(id)
    const after = versions?.get(version)
    const before = version === 1 ? new Set<string>() : versions?.get(version - 1)
    return after && before ? [after.union(before)] : []
  }

  #problem(kind: Problem['kind'], text: string): void {
    this.#problems.push({ kind, text })
  }
}
