// A card of the tour as lines, in as many parts as the terminal's height needs; the next and the one before. Pure.
import { type SafeText, safeTemplate as safe } from '../client/safe-text.ts'
import { joinText, sliceText } from './cells.ts'
import { keysText, labelOf } from './keymap.ts'
import { layoutOf } from './layout.ts'
import { type Line, line, span } from './lines.ts'
import type { Overlay } from './overlay.ts'
import { slashCommands, usageOf } from './slash-commands.ts'
import type { State } from './state.ts'
import { type Step, step } from './step.ts'
import { tourCards, type TourRow } from './tour.ts'
import { wrap } from './wrap.ts'

type TourOverlay = Extract<Overlay, { kind: 'tour' }>
/** The title, and the keys. */
const OTHER_ROWS = 2

/** Label and words of a row; nothing of what has no key. */
const rowTexts = ({ keymap }: State, row: TourRow): { label: SafeText; help: SafeText } | undefined => {
  if ('text' in row) return { label: safe``, help: row.text }
  if ('label' in row) return row
  if ('command' in row) {
    const command = slashCommands.find(({ name }) => name === row.command)
    return command && { label: usageOf(command), help: row.help }
  }
  const label = labelOf(keymap, 'chat', row.does)
  if (label === '') return undefined
  const selected = (row.selected ?? []).flatMap((does) => {
    const key = labelOf(keymap, 'select', does)
    const help = keymap.table.select.find((binding) => binding.does === does)?.help
    return key === '' || help === undefined ? [] : [safe`${key} ${help}`]
  })
  return { label, help: selected.length === 0 ? row.help : safe`${row.help}, then ${joinText(selected, ', ')}` }
}

const rowLines = (state: State, row: TourRow, width: number): Line[] => {
  const texts = rowTexts(state, row)
  if (!texts) return []
  const { label, help } = texts
  const head = label === '' ? 0 : label.length + 1
  const text = label === '' ? help : safe`${label}: ${help}`
  return wrap(text, width).map((shown, index) =>
    index === 0 ? [span(sliceText(shown, 0, head), 'key'), span(sliceText(shown, head))] : line(shown),
  )
}

const partsOf = (state: State, card: number): Line[][] => {
  const { timelineColumns: width, timelineRows: rows } = layoutOf(state)
  const lines = (tourCards[card]?.rows ?? []).flatMap((row) => rowLines(state, row, width))
  const room = Math.max(1, rows - OTHER_ROWS)
  return Array.from({ length: Math.ceil(lines.length / room) }, (_, part) =>
    lines.slice(part * room, (part + 1) * room),
  )
}

/** The terminal may have become higher meanwhile. */
const partOf = (parts: readonly unknown[], part: number): number => Math.max(0, Math.min(part, parts.length - 1))

export const tourLines = (state: State, { card, part }: TourOverlay): Line[] => {
  const parts = partsOf(state, card)
  const at = partOf(parts, part)
  const more = parts.length > 1 ? safe` (${at + 1}/${parts.length})` : safe``
  const title = safe`${card + 1} of ${tourCards.length}: ${tourCards[card]?.title ?? safe``}${more}`
  return [line(title, 'title'), ...(parts[at] ?? []), line(keysText(state.keymap, 'tour'), 'dim')]
}

const nextCard = (state: State): Step => {
  const { overlay } = state
  if (overlay?.kind !== 'tour') return step(state)
  const { card } = overlay
  const parts = partsOf(state, card)
  const part = partOf(parts, overlay.part) + 1
  if (part < parts.length) return step({ ...state, overlay: { ...overlay, part } })
  const next = card + 1 < tourCards.length ? { ...overlay, card: card + 1, part: 0 } : undefined
  return step({ ...state, overlay: next })
}

const previousCard = (state: State): Step => {
  const { overlay } = state
  if (overlay?.kind !== 'tour') return step(state)
  const { card } = overlay
  const part = partOf(partsOf(state, card), overlay.part) - 1
  if (part >= 0) return step({ ...state, overlay: { ...overlay, part } })
  if (card === 0) return step(state)
  const last = partsOf(state, card - 1).length - 1
  return step({ ...state, overlay: { ...overlay, card: card - 1, part: Math.max(0, last) } })
}

export const tourOperations = { nextCard, previousCard }
