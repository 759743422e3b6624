// What lies over the timeline: help, the switcher, lists of results. Pure.
import { safeLine, safeTemplate as safe } from '../client/safe-text.ts'
import { spaces, widthOf } from './cells.ts'
import { keyHelp } from './keymap.ts'
import { emptyLine, fit, type Line, line, span } from './lines.ts'
import { slashCommands, usageOf } from './slash-commands.ts'
import { pasteLines } from './paste.ts'
import type { Overlay, State } from './state.ts'
import { switcherRows } from './switcher.ts'

const LABEL_CELLS = 16

const labelled = (label: ReturnType<typeof safeLine>, help: ReturnType<typeof safeLine>): Line => [
  span(safe`  ${label}${spaces(LABEL_CELLS - widthOf(label))} `, 'key'),
  span(help),
]

export const helpLines = (state: State): Line[] => [
  line(safe`Keys`, 'title'),
  ...keyHelp(state.keymap, 'chat').map(({ label, help }) => labelled(label, help)),
  emptyLine,
  line(safe`Keys on a selected message`, 'title'),
  ...keyHelp(state.keymap, 'select').map(({ label, help }) => labelled(label, help)),
  emptyLine,
  line(safe`Commands`, 'title'),
  ...slashCommands.map((command) => labelled(usageOf(command), command.help)),
  labelled(safe`//text`, safe`send a text that begins with a slash`),
  emptyLine,
  line(safe`Your messages`, 'title'),
  labelled(safe`… queued`, safe`on this device, sent as soon as a gateway answers`),
  labelled(safe`✓`, safe`stored: on the disks of enough stores`),
  labelled(safe`✓✓`, safe`received by a device of the other`),
  labelled(safe`✓✓ read`, safe`read by the other`),
  labelled(safe`! refused`, safe`not sent, ever; Up brings the text back`),
  ...(state.notices.length > 0 ? [emptyLine, line(safe`Notices`, 'title')] : []),
  ...state.notices.map((notice) => line(notice)),
]

interface Choices {
  title: Line
  rows: readonly Line[]
  selected: number
  none: Line
}

const choicesOf = (state: State, overlay: Exclude<Overlay, { kind: 'help' | 'paste' }>): Choices => {
  if (overlay.kind === 'list') {
    const { title, rows, selected } = overlay
    return {
      title: line(title, 'title'),
      rows: rows.map((row) => row.line),
      selected,
      none: line(safe`nothing`, 'dim'),
    }
  }
  const rows = switcherRows(state, overlay.query.text).map((row) => row.line)
  const title = [span(safe`Go to: `, 'title'), span(safeLine(overlay.query.text)), span(safe`▏`, 'key')]
  return { title, rows, selected: overlay.selected, none: line(safe`nothing has that name`, 'dim') }
}

/** Rows of a list that are seen at once, besides its title. */
export const listRows = (rows: number): number => Math.max(1, rows - 1)

const choiceLines = ({ title, rows, selected, none }: Choices, room: number): Line[] => {
  if (rows.length === 0) return [title, none]
  const top = Math.max(0, Math.min(selected - Math.floor(room / 2), rows.length - room))
  const shown = rows.slice(top, top + room).map((row, index): Line => {
    const isSelected = top + index === selected
    return [span(isSelected ? safe`▸ ` : safe`  `, 'key'), ...row]
  })
  return [title, ...shown]
}

const helpPage = (lines: readonly Line[], top: number, rows: number): Line[] => {
  const page = lines.slice(top, top + rows)
  if (top + rows >= lines.length) return page
  return [...page.slice(0, -1), line(safe`↓ more: PgDn · Esc closes`, 'dim')]
}

export const overlayLines = (state: State, overlay: Overlay, size: { width: number; rows: number }): Line[] => {
  if (overlay.kind === 'paste') return pasteLines(overlay.text, size)
  const lines =
    overlay.kind === 'help'
      ? helpPage(helpLines(state), overlay.top, size.rows)
      : choiceLines(choicesOf(state, overlay), listRows(size.rows))
  return lines.map((spans) => fit(spans, size.width))
}
