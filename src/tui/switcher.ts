// The fuzzy switcher: conversations, people of the open one, commands, and whoever was typed. Pure.
import fuzzysort from 'fuzzysort'
import { safeLine, safeTemplate as safe } from '../client/safe-text.ts'
import { isGroupName, isUserName } from '../protocol/names.ts'
import { emoji, emojiOf } from '../client/emoji.ts'
import { type Line, span } from './lines.ts'
import { unreadText } from './sidebar-view.ts'
import { knownUsers } from './completing.ts'
import type { SlashCommand } from './slash-command.ts'
import { slashCommands, usageOf } from './slash-commands.ts'
import { conversationsOf } from './listing.ts'
import type { Overlay } from './overlay.ts'
import type { State } from './state.ts'

type Choice = { conversation: string } | { command: string } | { react: string; id: string }
export interface SwitcherRow {
  line: Line
  choice: Choice
}
type SwitcherOverlay = Extract<Overlay, { kind: 'switcher' }>
const MAX_ROWS = 100
/** `dn` finds `dan`: the best matches come first, but weak ones are shown too. */
const ANY_MATCH = 0.1

const conversationRows = (state: State, query: string): SwitcherRow[] => {
  const all = conversationsOf(state)
  const found =
    query === ''
      ? all.slice(0, MAX_ROWS)
      : fuzzysort
          .go(query, all, { key: ({ name }) => name, limit: MAX_ROWS, threshold: ANY_MATCH })
          .map(({ obj }) => obj)
  return found.map((conversation) => ({
    line: [span(conversation.title), span(safe` ${unreadText(conversation)}`, 'unread')],
    choice: { conversation: conversation.name },
  }))
}

const commandRow = (command: SlashCommand): SwitcherRow => ({
  line: [span(usageOf(command), 'key'), span(safe`  ${command.help}`, 'dim')],
  choice: { command: command.name },
})
const commandsFor = (query: string): readonly SlashCommand[] => {
  const wanted = query.replace(/^\//, '')
  if (wanted === '') return slashCommands
  return fuzzysort.go(wanted, slashCommands, { key: 'name', limit: 5, threshold: ANY_MATCH }).map(({ obj }) => obj)
}

const writeTo = (name: string): SwitcherRow => ({
  line: [span(safe`write to ${safeLine(name)}`)],
  choice: { conversation: name },
})
/** People of this conversation to whom nothing was said yet. */
const peopleRows = (state: State, query: string): SwitcherRow[] => {
  const listed = new Set(conversationsOf(state).map(({ name }) => name))
  const others = query === '' ? [] : knownUsers(state).filter((name) => !listed.has(name))
  return fuzzysort.go(query, others, { limit: 5, threshold: ANY_MATCH }).map(({ target }) => writeTo(target))
}

/** What one mostly wants, before anything is typed. */
const usualReactions = ['thumbsup', 'heart', 'joy', 'tada', 'thinking', 'eyes', 'check', 'thumbsdown', 'cry', 'fire']

const emojiRows = (query: string, id: string): SwitcherRow[] => {
  const names = [...emoji.keys()]
  const wanted = query.replaceAll(':', '')
  const found =
    wanted === ''
      ? [...new Set([...usualReactions, ...names])]
      : fuzzysort.go(wanted, names, { limit: MAX_ROWS, threshold: ANY_MATCH }).map(({ target }) => target)
  const typed = emojiOf(query)
  const rows = found.map((name) => ({ name, picture: emoji.get(name) ?? '' }))
  return [...(typed !== undefined && !emoji.has(wanted) ? [{ name: 'as typed', picture: typed }] : []), ...rows].map(
    ({ name, picture }) => ({
      line: [span(safe`${safeLine(picture)}  ${safeLine(name)}`)],
      choice: { react: picture, id },
    }),
  )
}

export const switcherRows = (state: State, { query: { text }, reactTo }: SwitcherOverlay): SwitcherRow[] => {
  const query = text.trim()
  if (reactTo !== undefined) return emojiRows(query, reactTo)
  const commands = commandsFor(query)
  if (query.startsWith('/')) return commands.map(commandRow)
  const rows = [...conversationRows(state, query), ...peopleRows(state, query)]
  const isKnown = rows.some(({ choice }) => 'conversation' in choice && choice.conversation === query)
  const asTyped = !isKnown && (isUserName(query) || isGroupName(query)) ? [writeTo(query)] : []
  // What begins like a command is more likely one than the name of a stranger.
  const begun = commands.filter(({ name }) => query !== '' && name.startsWith(query))
  const others = commands.filter((command) => !begun.includes(command))
  return [...rows, ...begun.map(commandRow), ...asTyped, ...others.map(commandRow)]
}
