// Whom a message concerns, by what is known for certain: of a group, the versions at which it may have been taken, from when each change
// was asked for and acknowledged. Pure.
import type { EndState, SeenVersion } from './checker.ts'
import type { History, SendEvent } from './history.ts'
import { firstName } from './scenario.ts'

export const isGroup = (name: string): boolean => name.startsWith('#')

interface Version extends SeenVersion {
  /** It was not decided before, and was decided after. */
  notBefore: number
  surely: number
}
type Message = Pick<SendEvent, 'user' | 'to' | 'id'>

export class Membership {
  /** Name -> versions in order. */
  readonly #versions: Map<string, Version[]>
  readonly #times = new Map<string, { begun: number; stored: number }>()

  constructor({ history, end }: { history: History; end: EndState }) {
    this.#versions = versionsOf(history, end)
    for (const { user, id, type, t } of history.of('send')) {
      const key = `${user} ${id}`
      const known = this.#times.get(key)
      if (!known) this.#times.set(key, { begun: t, stored: type === 'ok' ? t : Infinity })
      else if (type === 'ok') known.stored = Math.min(known.stored, t)
    }
  }

  /** It has to be in this user's mailbox if it is anywhere. */
  must(user: string, message: Message): boolean {
    if (user === message.user) return true
    if (!isGroup(message.to)) return user === message.to
    const versions = this.takenAt(message)
    return versions.length > 0 && versions.every(({ members }) => members.includes(user))
  }

  may(user: string, message: Message): boolean {
    if (user === message.user) return true
    return isGroup(message.to)
      ? this.takenAt(message).some(({ members }) => members.includes(user))
      : user === message.to
  }

  /** Was outside at that version or a later one which may have been decided by then. */
  wasOutsideSince(user: string, { to, version }: { to: string; version: number }, by: number): boolean {
    return (this.#versions.get(to) ?? []).some(
      ({ version: later, notBefore, members }) => later >= version && notBefore <= by && !members.includes(user),
    )
  }

  /** Was in the group, and then was not. */
  hasLeft(user: string, group: string): boolean {
    const versions = this.#versions.get(group) ?? []
    const first = versions.findIndex(({ members }) => members.includes(user))
    return first >= 0 && versions.slice(first).some(({ members }) => !members.includes(user))
  }

  /** In ever since it may have been taken: he hears of all that becomes of it. */
  isThereSince(user: string, message: Message): boolean {
    if (!isGroup(message.to)) return true
    const first = this.takenAt(message)[0]?.version
    const later = (this.#versions.get(message.to) ?? []).filter(({ version }) => version >= (first ?? Infinity))
    return later.length > 0 && later.every(({ members }) => members.includes(user))
  }

  /** The versions at which a message to a group may have been taken; its author is a member of each. */
  takenAt({ user, to, id }: Message): SeenVersion[] {
    const versions = this.#versions.get(to) ?? []
    const { begun, stored } = this.#times.get(`${user} ${id}`) ?? { begun: 0, stored: Infinity }
    const first = versions.findLastIndex(({ surely }) => surely < begun)
    return versions.filter(({ notBefore, members }, i) => i >= first && notBefore <= stored && members.includes(user))
  }
}

const versionsOf = (history: History, end: EndState): Map<string, Version[]> => {
  const asked = new Map<string, number>()
  const answered = new Map<string, number>()
  for (const { id, type, t } of history.of('group')) {
    if (type === 'invoke') asked.set(id, t)
    if (type === 'ok') answered.set(id, t)
  }
  const groups = new Map<string, Map<number, SeenVersion>>()
  for (const version of end.versions) {
    const known = groups.get(firstName(version.name)) ?? new Map<number, SeenVersion>()
    groups.set(firstName(version.name), known.set(version.version, version))
  }
  return new Map([...groups].map(([name, known]) => [name, inTime([...known.values()], asked, answered)]))
}

/** A version was decided after the one before it, and before the one after it. */
const inTime = (seen: SeenVersion[], asked: Map<string, number>, answered: Map<string, number>): Version[] => {
  const versions = seen
    .sort((a, b) => a.version - b.version)
    .map((v): Version => ({ ...v, notBefore: asked.get(v.id) ?? 0, surely: answered.get(v.id) ?? Infinity }))
  let notBefore = 0
  for (const version of versions) version.notBefore = notBefore = Math.max(notBefore, version.notBefore)
  let surely = Infinity
  for (const version of versions.toReversed()) version.surely = surely = Math.min(surely, version.surely)
  return versions
}
