// The candidates for the word before the cursor, while Tab goes through them. Pure. completing.ts finds them.
import { type SafeText, safeTemplate as safe } from '../client/safe-text.ts'
import { joinText } from './cells.ts'
import type { Draft } from './draft.ts'
import { draftOfCurrent, type State } from './state.ts'

export interface Candidate {
  /** What takes the place of the word. */
  readonly text: string
  /** How it is called in the row above the input. */
  readonly label: SafeText
}
export interface Completion {
  readonly from: number
  readonly candidates: readonly Candidate[]
  readonly index: number
  /** What completing made of it; any other draft ends it. */
  readonly draft: Draft
}
/** The completion that is going on, if one is. */
export const completionOf = (state: State): Completion | undefined =>
  state.completion?.draft === draftOfCurrent(state) ? state.completion : undefined

/** The candidates in a row, from the present one on; nothing when there is no choice. */
export const completionText = (state: State): SafeText | undefined => {
  const going = completionOf(state)
  if (!going || going.candidates.length < 2) return undefined
  const { candidates, index } = going
  const shown = [...candidates.slice(index), ...candidates.slice(0, index)]
  return joinText(shown.flatMap(({ label }, at) => (at === 0 ? [safe`[${label}]`] : [safe`  ${label}`])))
}
