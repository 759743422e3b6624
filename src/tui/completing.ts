// What Tab makes of the word before the cursor: commands and what they take, names, groups, emoji. Pure. Further Tabs go through the
// candidates, as long as the draft is the one that completing made.
import { safeLine, safeTemplate as safe } from '../client/safe-text.ts'
import { groupRoles } from '../protocol/group.ts'
import { isGroupName, isUserName } from '../protocol/names.ts'
import type { CommandTakes, SlashCommand } from './slash-command.ts'
import { slashCommands } from './slash-commands.ts'
import { type Candidate, type Completion, completionOf } from './completion.ts'
import type { Draft } from './draft.ts'
import { emoji } from '../client/emoji.ts'
import { groupVerbs } from './group-commands.ts'
import { levels } from './levels.ts'
import { pathInProgress } from './paths.ts'
import { conversationsOf } from './listing.ts'
import { draftOfCurrent, type Effect, type State } from './state.ts'
import { isSettingName, settingNames, settingRow } from './setting-table.ts'
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

/** Of the setting that is named before. */
const settingValues = (state: State): string[] => {
  const [, name = ''] = /^\/set\s+(\S+)/.exec(draftOfCurrent(state).text) ?? []
  return isSettingName(name) ? (settingRow(name).choices ?? []).map(String) : []
}

/** What is not known here is asked for. */
type KnownTakes = Exclude<CommandTakes, 'path' | 'device'>
const takes: Record<KnownTakes, (state: State) => readonly string[]> = {
  user: knownUsers,
  group: knownGroups,
  conversation: (state) => conversationsOf(state).map(({ name }) => name),
  theme: () => Object.keys(themes),
  level: () => levels,
  role: () => groupRoles,
  groupVerb: () => groupVerbs,
  emoji: () => [...emoji.keys()],
  setting: () => settingNames,
  settingValue: settingValues,
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

const commandCalled = (name: string | undefined): SlashCommand | undefined =>
  slashCommands.find((candidate) => candidate.name === name)

/** What the command that is typed takes where the cursor is. */
const takenAt = (before: string): CommandTakes | undefined => {
  const [, name, rest = ''] = /^\/([a-z]+)\s+([^]*)$/.exec(before) ?? []
  const command = commandCalled(name)
  return command?.completes?.[rest.split(/(?<!\\)\s+/).length - 1] ?? command?.completesRest
}

/** The word before the cursor, and what the command takes in its place, if it is one that is typed. */
interface Word {
  before: string
  word: string
  from: number
  isCommand: boolean
  kind: CommandTakes | undefined
}
const wordAt = ({ text, cursor }: Draft): Word => {
  const before = text.slice(0, cursor)
  const word = /\S*$/.exec(before)?.[0] ?? ''
  const isCommand = text.startsWith('/') && !text.startsWith('//')
  return { before, word, from: cursor - word.length, isCommand, kind: isCommand ? takenAt(before) : undefined }
}

const mentionsOf = (names: readonly string[]): string[] => names.map((name) => `@${name}`)

const candidatesFor = (state: State, draft: Draft): { from: number; candidates: Candidate[] } => {
  const { before, word, from, isCommand, kind } = wordAt(draft)
  if (isCommand && from === 0) {
    const names = slashCommands.map(({ name }) => `/${name}`)
    return { from, candidates: starting(names, word) }
  }
  const found = kind === undefined || kind === 'path' || kind === 'device' ? [] : starting(takes[kind](state), word)
  if (found.length > 0) return { from, candidates: found }
  if (word.startsWith('@')) return { from, candidates: starting(mentionsOf(knownUsers(state)), word) }
  if (word.startsWith('#')) return { from, candidates: starting(knownGroups(state), word) }
  const emojiFrom = before.lastIndexOf(':')
  const typed = before.slice(emojiFrom + 1)
  const isEmoji = emojiFrom >= from && typed.length >= MIN_EMOJI && /^[a-z_]+$/.test(typed)
  return isEmoji ? { from: emojiFrom, candidates: emojiNames(typed) } : { from, candidates: [] }
}

const put = (state: State, { from, candidates, index }: Omit<Completion, 'draft'>, end: number): State => {
  const draft = draftOfCurrent(state)
  const text = candidates[index]?.text ?? ''
  // Before a space that is there already none is put; a quote that is there already is the one that is put.
  const after = draft.text.slice(end)
  const [quote = ''] = /["'](?= $)/.exec(text) ?? []
  const rest = quote !== '' && after.startsWith(quote) ? after.slice(1) : after
  const inserted = rest.startsWith(' ') ? text.trimEnd() : text
  const next = { ...draft, text: draft.text.slice(0, from) + inserted + rest, cursor: from + inserted.length }
  return { ...withDraft(state, next), recall: undefined, completion: { from, candidates, index, draft: next } }
}

/** What there is of a path before the cursor, where a command begins with one. */
const pathAt = (state: State): { typed: string; from: number; draft: Draft } | undefined => {
  const draft = draftOfCurrent(state)
  const before = draft.text.slice(0, draft.cursor)
  const [head, name] = /^\/([a-z]+)\s+/.exec(before) ?? []
  if (head === undefined || commandCalled(name)?.completes?.[0] !== 'path') return undefined
  const typed = pathInProgress(before.slice(head.length))
  return typed === undefined ? undefined : { typed, from: head.length, draft }
}

/** Where somebody is named in a group: its members may be meant, and the library knows who they are. */
const memberAt = (state: State): Omit<Extract<Effect, { type: 'completeMember' }>, 'type'> | undefined => {
  const draft = draftOfCurrent(state)
  const { word, from, kind } = wordAt(draft)
  const { current: group } = state
  if (group === undefined || !isGroupName(group)) return undefined
  if (word.startsWith('@')) return { group, known: mentionsOf(knownUsers(state)), sign: '@', typed: word, from, draft }
  if (kind !== 'user' && kind !== 'conversation') return undefined
  return { group, known: takes[kind](state), sign: '', typed: word, from, draft }
}

export const memberCandidates = (
  { known, sign, typed }: { known: readonly string[]; sign: string; typed: string },
  members: readonly string[],
): Candidate[] =>
  starting([...new Set([...known, ...members.map((name) => `${sign}${name}`)])], typed).slice(0, MAX_CANDIDATES)

/** Paths and members come later than the key; whoever typed on meanwhile wants something else. */
export const withCandidates = (
  state: State,
  { from, draft, candidates }: { from: number; draft: Draft; candidates: readonly Candidate[] },
): State =>
  draft !== draftOfCurrent(state) || candidates.length === 0
    ? state
    : put(state, { from, candidates, index: 0 }, draft.cursor)

export const completeBy =
  (by: -1 | 1) =>
  (state: State): Step => {
    const going = completionOf(state)
    // A lone candidate leaves no choice: another Tab goes on from it, into a directory.
    const hasChoice = going !== undefined && going.candidates.length > 1
    const { cursor } = draftOfCurrent(state)
    if (hasChoice) {
      const { from, candidates, index } = going
      return step(put(state, { from, candidates, index: (index + by + candidates.length) % candidates.length }, cursor))
    }
    const path = pathAt(state)
    if (path) return step(state, { type: 'completePath', ...path })
    const { word, from: wordFrom, kind } = wordAt(draftOfCurrent(state))
    if (kind === 'device')
      return step(state, { type: 'completeDevice', typed: word, from: wordFrom, draft: draftOfCurrent(state) })
    const member = memberAt(state)
    if (member) return step(state, { type: 'completeMember', ...member })
    const { from, candidates } = candidatesFor(state, draftOfCurrent(state))
    if (candidates.length === 0) return step(state)
    return step(put(state, { from, candidates: candidates.slice(0, MAX_CANDIDATES), index: 0 }, cursor))
  }
