// What was asked for may come late. Whoever writes meanwhile, or answers a question, keeps the keys: nothing opens over that. Pure.
import { type SafeText, safeLine, safeTemplate as safe } from '../client/safe-text.ts'
import { confirming } from './confirm.ts'
import { draftOfCurrent, type Effect, type ListRow, type State } from './state.ts'
import { listOverlay, openConversation, withToast } from './step.ts'

/** Effects that end with a list, with a question, or in another conversation. */
const opening: ReadonlySet<Effect['type']> = new Set([
  'receipts',
  'search',
  'mentions',
  'groups',
  'members',
  'createGroup',
  'devices',
  'askRevoke',
  'verify',
] as const)

export const withAsked = (state: State, effects: readonly Effect[]): State =>
  effects.some(({ type }) => opening.has(type)) ? { ...state, asked: draftOfCurrent(state) } : state

const isBusy = (state: State): boolean => {
  const draft = draftOfCurrent(state)
  const isWriting = draft.text !== '' && draft !== state.asked
  return isWriting || (state.overlay !== undefined && state.overlay.kind !== 'list')
}

const heldBack = (title: SafeText): SafeText => safe`${title} (it came while you wrote: ask again to see it)`

export const showList = (state: State, title: string, rows: readonly ListRow[]): State =>
  isBusy(state) ? withToast(state, heldBack(safeLine(title))) : listOverlay(state, title, rows)

export const showQuestion = (state: State, question: SafeText, effect: Effect): State =>
  isBusy(state) ? withToast(state, heldBack(question)) : confirming(state, question, effect)

/** What opens by itself is in the list of conversations too. */
export const openLate = (state: State, conversation: string): State =>
  isBusy(state) ? state : openConversation(state, conversation)
