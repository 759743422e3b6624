// A question before what cannot be taken back. Pure.
import { type SafeText, safeTemplate as safe } from '../client/safe-text.ts'
import { keyHelp, labelOf } from './keymap.ts'
import { type Line, line, span } from './lines.ts'
import type { Overlay } from './overlay.ts'
import type { Effect, State } from './state.ts'
import { type Step, step } from './step.ts'
import { wrap } from './wrap.ts'

export const confirming = (state: State, question: SafeText, effect: Effect): State => ({
  ...state,
  overlay: { kind: 'confirm', question, effect },
})

export const confirm = (state: State): Step => {
  const { overlay } = state
  const next = { ...state, overlay: undefined }
  return overlay?.kind === 'confirm' ? step(next, overlay.effect) : step(next)
}

export const confirmLines = (
  { keymap }: State,
  { question }: Extract<Overlay, { kind: 'confirm' }>,
  width: number,
): Line[] => [
  ...wrap(question, width).map((text) => line(text, 'title')),
  [
    ...keyHelp(keymap, 'confirm')
      .slice(0, 1)
      .flatMap(({ label, help }) => [span(label, 'key'), span(safe` ${help} · `)]),
    span(labelOf(keymap, 'confirm', 'closeOverlay'), 'key'),
    span(safe` no`),
  ],
]
