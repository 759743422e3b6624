// What the terminal client keeps across restarts, as plain data: drafts, what was sent (for the Up key), and what left the list (unsaid.ts).
// Pure: taking it from the state, reading it from text, bounding it, and joining it with what another process kept meanwhile.
// It must not read or write: memory-file.ts does.
import * as v from 'valibot'
import { safeLine } from '../client/safe-text.ts'
import { type Draft, emptyDraft } from './draft.ts'

export interface Memory {
  readonly drafts: Readonly<Record<string, Draft>>
  readonly sent: readonly string[]
  readonly unsaid: readonly string[]
}
export const emptyMemory: Memory = { drafts: {}, sent: [], unsaid: [] }

/** A message has 64 KiB at most; a draft may be one that is still to be shortened. */
const MAX_TEXT = 128 * 1024
const MAX_TOTAL = 1024 * 1024
const MAX_DRAFTS = 500
const MAX_SENT = 200
const MAX_UNSAID = 100
const FORMAT = 1

const reply = v.pipe(
  v.object({ id: v.string(), from: v.string(), text: v.string() }),
  // Another program may have written the file: what is drawn is made safe again.
  v.transform(({ id, from, text }) => ({ id, from: safeLine(from), text: safeLine(text) })),
)
const draft = v.pipe(
  v.object({
    text: v.string(),
    cursor: v.pipe(v.number(), v.integer(), v.minValue(0)),
    reply: v.optional(reply),
    edits: v.optional(v.string()),
  }),
  v.transform(
    ({ text, cursor, reply, edits }): Draft => ({
      text,
      cursor: Math.min(cursor, text.length),
      ...(reply === undefined ? {} : { reply }),
      ...(edits === undefined ? {} : { edits }),
    }),
  ),
)
const kept = v.object({
  format: v.literal(FORMAT),
  // Pairs: `constructor` is a name, which records of valibot leave out.
  drafts: v.array(v.tuple([v.string(), draft])),
  sent: v.array(v.string()),
  unsaid: v.optional(v.array(v.string()), []),
})

/** From the newest on, as many as fit. */
const newest = <T>(entries: readonly T[], sizeOf: (entry: T) => number, maxCount: number): T[] => {
  let total = 0
  const fits = (entry: T): boolean => {
    const size = sizeOf(entry)
    if (size > MAX_TEXT || total + size > MAX_TOTAL) return false
    total += size
    return true
  }
  return entries.slice(-maxCount).reverse().filter(fits).reverse()
}

export const bounded = ({ drafts, sent, unsaid }: Memory): Memory => ({
  drafts: Object.fromEntries(
    newest(
      Object.entries(drafts).filter(([, { text, reply }]) => text !== '' || reply !== undefined),
      ([, { text }]) => text.length,
      MAX_DRAFTS,
    ),
  ),
  sent: newest(sent, (text) => text.length, MAX_SENT),
  unsaid: newest(unsaid, (name) => name.length, MAX_UNSAID),
})

export const memoryText = (memory: Memory): string => {
  const { drafts, sent, unsaid } = bounded(memory)
  return `${JSON.stringify({ format: FORMAT, drafts: Object.entries(drafts), sent, unsaid })}\n`
}

/** undefined when it is not such a text. */
export const parseMemory = (text: string): Memory | undefined => {
  try {
    const { drafts, sent, unsaid } = v.parse(kept, JSON.parse(text))
    return { drafts: Object.fromEntries(drafts), sent, unsaid }
  } catch {
    return undefined
  }
}

const isSame = (a: Draft | undefined, b: Draft | undefined): boolean => JSON.stringify(a) === JSON.stringify(b)

const joinedDrafts = (base: Memory['drafts'], mine: Memory['drafts'], other: Memory['drafts']): Memory['drafts'] => {
  const changed = [...new Set([...Object.keys(base), ...Object.keys(mine)])].filter(
    (name) => !isSame(base[name], mine[name]),
  )
  return { ...other, ...Object.fromEntries(changed.map((name) => [name, mine[name] ?? emptyDraft])) }
}

const joinedList = (base: readonly string[], mine: readonly string[], other: readonly string[]): string[] => {
  const [before, now] = [new Set(base), new Set(mine)]
  const added = mine.filter((entry) => !before.has(entry))
  return [...other.filter((entry) => !added.includes(entry) && (now.has(entry) || !before.has(entry))), ...added]
}

/** What this process changed since `base` wins; of everything else, what `other` has. */
export const joinMemory = ({ base, mine, other }: { base: Memory; mine: Memory; other: Memory }): Memory => ({
  drafts: joinedDrafts(base.drafts, mine.drafts, other.drafts),
  sent: joinedList(base.sent, mine.sent, other.sent),
  unsaid: joinedList(base.unsaid, mine.unsaid, other.unsaid),
})
