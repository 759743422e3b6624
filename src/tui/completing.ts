// What Tab makes of the word before the cursor: commands and what they take, names, groups, emoji. Pure. Further Tabs go through the
// candidates, as long as the draft is the one that completing made.
import { safeLine, safeTemplate as safe } from '../client/safe-text.ts'
import { groupRoles } from '../protocol/group.ts'
import { isGroupName, isUserName } from '../protocol/names.ts'
import type { CommandTakes } from './slash-command.ts'
import { slashCommands } from './slash-commands.ts'
import { type Candidate, type Completion, completionOf } from './completion.ts'
import type { Draft } from './draft.ts'
import { emoji } from './emoji.ts'
import { groupVerbs } from './group-commands.ts'
import { levels } from './levels.ts'
import { conversationsOf, draftOfCurrent, type State } from './state.ts'
import { type Step, step, withDraft } from './step.ts'
import { themes } from './theme.ts'
import { messagesOf } from './timeline-view.ts'

const MAX_CANDIDATES = 50
/** `:)` and `10:30` are no emoji. */
const MIN_EMOJI = 2

const plain = (text: string): Candidate => ({ text: `${text} `, label: safeLine(text, { maxLength: 40 }) })

/** Who one may mean here: who speaks in this conversation, then everybody one talks with. */
export const knownUsers = (state: State): string[] => {
  const speakers = messagesOf(state)
    .slice(-500)
    .map(({ from }) => from)
  const others = conversationsOf(state).map(({ name }) => name)
  return [...new Set([...speakers.reverse(), ...others])].filter((name) => isUserName(name) && name !== state.user)
}
const knownGroups = (state: State): string[] =>
  conversationsOf(state)
    .map(({ name }) => name)
    .filter(isGroupName)

const takes: Record<CommandTakes, (state: State) => readonly string[]> = {
  user: knownUsers,
  group: knownGroups,
  conversation: (state) => conversationsOf(state).map(({ name }) => name),
  theme: () => Object.keys(themes),
  level: () => levels,
  role: () => groupRoles,
  groupVerb: () => groupVerbs,
  emoji: () => [...emoji.keys()],
}

const starting = (names: readonly string[], typed: string): Candidate[] =>
  names.filter((name) => name.startsWith(typed)).map(plain)

const emojiNames = (typed: string): Candidate[] => {
  const names = [...emoji.keys()]
  const found = [...names.filter((name) => name.startsWith(typed)), ...names.filter((name) => name.includes(typed, 1))]
  return [...new Set(found)].map((name) => ({
    text: `${emoji.get(name) ?? ''} `,
    label: safe`${safeLine(emoji.get(name) ?? '')} ${safeLine(name)}`,
  }))
}

const argumentsOf = (state: State, before: string, word: string): Candidate[] => {
  const [, name, rest = ''] = /^\/([a-z]+)\s+([^]*)$/.exec(before) ?? []
  const command = slashCommands.find((candidate) => candidate.name === name)
  const place = rest.split(/\s+/).length - 1
  const kind = command?.completes?.[place] ?? command?.completesRest
  return kind === undefined ? [] : starting(takes[kind](state), word)
}

const candidatesFor = (state: State, { text, cursor }: Draft): { from: number; candidates: Candidate[] } => {
  const before = text.slice(0, cursor)
  const word = /\S*$/.exec(before)?.[0] ?? ''
  const from = cursor - word.length
  const isCommand = text.startsWith('/') && !text.startsWith('//')
  if (isCommand && from === 0) {
    const names = slashCommands.map(({ name }) => `/${name}`)
    return { from, candidates: starting(names, word) }
  }
  const found = isCommand ? argumentsOf(state, before, word) : []
  if (found.length > 0) return { from, candidates: found }
  if (word.startsWith('@'))
    return {
      from,
      candidates: starting(
        knownUsers(state).map((name) => `@${name}`),
        word,
      ),
    }
  if (word.startsWith('#')) return { from, candidates: starting(knownGroups(state), word) }
  const emojiFrom = before.lastIndexOf(':')
  const typed = before.slice(emojiFrom + 1)
  const isEmoji = emojiFrom >= from && typed.length >= MIN_EMOJI && /^[a-z_]+$/.test(typed)
  return isEmoji ? { from: emojiFrom, candidates: emojiNames(typed) } : { from, candidates: [] }
}

const put = (state: State, { from, candidates, index }: Omit<Completion, 'draft'>, end: number): State => {
  const draft = draftOfCurrent(state)
  const text = candidates[index]?.text ?? ''
  // Before a space that is there already none is put.
  const rest = draft.text.slice(end)
  const inserted = rest.startsWith(' ') ? text.trimEnd() : text
  const next = { ...draft, text: draft.text.slice(0, from) + inserted + rest, cursor: from + inserted.length }
  return { ...withDraft(state, next), recall: undefined, completion: { from, candidates, index, draft: next } }
}

export const completeBy =
  (by: -1 | 1) =>
  (state: State): Step => {
    const going = completionOf(state)
    const { cursor } = draftOfCurrent(state)
    if (going) {
      const { from, candidates, index } = going
      return step(put(state, { from, candidates, index: (index + by + candidates.length) % candidates.length }, cursor))
    }
    const { from, candidates } = candidatesFor(state, draftOfCurrent(state))
    if (candidates.length === 0) return step(state)
    return step(put(state, { from, candidates: candidates.slice(0, MAX_CANDIDATES), index: 0 }, cursor))
  }
