// Who has another history of a group than this device: what is kept of that, and when it is told. It changes rows; groups.ts keeps them.

/** Of a group; who names more such versions than this is not found out by the rest. */
const MAX_NAMED = 64

export interface Disputes {
  /** Who names, or made, another version of a number than is here or follows from what is, and the number that was told. */
  disputes?: Record<string, number>
  /** Whom the user compared with, and the newest version then: only later ones are held against them. */
  compared?: Record<string, number>
  /** What messages named of versions that were not here by then, to be compared when they come. */
  named?: NamedVersion[]
}
interface NamedVersion {
  version: number
  by: string
  hash: string
}

const comparedWith = ({ compared = {} }: Disputes, user: string): number =>
  Object.hasOwn(compared, user) ? (compared[user] ?? 0) : 0

export const openDisputes = (row: Disputes): string[] =>
  Object.entries(row.disputes ?? {})
    .filter(([user, version]) => version > comparedWith(row, user))
    .map(([user]) => user)
    .sort()

/** The user compared with those. */
export const settle = (row: Disputes, users: readonly string[], newest: number): void => {
  row.compared = { ...row.compared, ...Object.fromEntries(users.map((user) => [user, newest])) }
}

/** True when it is news. */
export const dispute = (row: Disputes, user: string, version: number): boolean => {
  const disputes = new Map(Object.entries(row.disputes ?? {}))
  const compared = comparedWith(row, user)
  if ((disputes.get(user) ?? 0) > compared || version <= compared) return false
  row.disputes = Object.fromEntries(disputes.set(user, version))
  return true
}

export const noteNamed = (row: Disputes, { version, by, hash }: NamedVersion): boolean => {
  row.named ??= []
  if (row.named.length >= MAX_NAMED || row.named.some((one) => one.version === version && one.by === by)) return false
  row.named.push({ version, by, hash })
  return true
}

/** That version is here now: whoever named another one of its number has another history. */
export const disputeNamed = (row: Disputes, version: number, hash: string): void => {
  for (const one of row.named ?? []) if (one.version === version && one.hash !== hash) dispute(row, one.by, version)
  if (row.named) row.named = row.named.filter((one) => one.version !== version)
}
