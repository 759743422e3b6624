// What lies over the timeline: help, the switcher, lists of results. Pure.
import { type SafeText, safeLine, safeTemplate as safe } from '../client/safe-text.ts'
import { spaces, widthOf } from './cells.ts'
import { clusterLines } from './cluster-view.ts'
import { confirmLines } from './confirm.ts'
import { type KeyHelp, keyHelp } from './keymap.ts'
import { layoutOf } from './layout.ts'
import { emptyLine, fit, type Line, line, span } from './lines.ts'
import { slashCommands, usageOf } from './slash-commands.ts'
import { pasteLines } from './paste.ts'
import { pictureLines } from './picture-view.ts'
import type { Overlay } from './overlay.ts'
import type { State } from './state.ts'
import { switcherRows } from './switcher.ts'
import { tourLines } from './tour-view.ts'
import { wrap } from './wrap.ts'

const LABEL_CELLS = 16

type Section = readonly [title: SafeText, rows: readonly KeyHelp[]]

const rowLines = ({ label, help }: KeyHelp, width: number): Line[] =>
  wrap(help, width - LABEL_CELLS - 3).map((text, index): Line => {
    const shown = index === 0 ? label : safe``
    return [span(safe`  ${shown}${spaces(LABEL_CELLS - widthOf(shown))} `, 'key'), span(text)]
  })

/** What stands behind one's own messages. */
export const messageSigns: readonly KeyHelp[] = [
  { label: safe`… queued`, help: safe`on this device, sent as soon as a gateway answers` },
  { label: safe`✓`, help: safe`stored: on the disks of enough stores` },
  { label: safe`✓✓`, help: safe`received by a device of the other` },
  { label: safe`✓✓ read`, help: safe`read by the other; in a group 5/8 counts who has` },
  { label: safe`! refused`, help: safe`not sent, ever; Up brings the text back` },
]

const sectionsOf = (state: State): Section[] => [
  [safe`Keys`, keyHelp(state.keymap, 'chat')],
  [safe`Keys on a selected message`, keyHelp(state.keymap, 'select')],
  [
    safe`Commands`,
    [
      ...slashCommands.map((command) => ({ label: usageOf(command), help: command.help })),
      { label: safe`//text`, help: safe`send a text that begins with a slash` },
    ],
  ],
  [safe`Your messages`, messageSigns],
]

const helpLines = (state: State): Line[] => {
  const { timelineColumns: width } = layoutOf(state)
  const sections = sectionsOf(state).flatMap(([title, rows], index) => [
    ...(index === 0 ? [] : [emptyLine]),
    line(title, 'title'),
    ...rows.flatMap((row) => rowLines(row, width)),
  ])
  if (state.notices.length === 0) return sections
  const notices = state.notices.flatMap((notice) => wrap(notice, width)).map((text) => line(text))
  return [...sections, emptyLine, line(safe`Notices`, 'title'), ...notices]
}

type Page = Extract<Overlay, { top: number }>
export const isPage = (overlay: Overlay): overlay is Page => 'top' in overlay
/** What is only read and scrolled. */
export const pageLines = (state: State, { kind }: Page): Line[] =>
  kind === 'help' ? helpLines(state) : clusterLines(state, layoutOf(state).timelineColumns)

interface Choices {
  title: Line
  rows: readonly Line[]
  selected: number
  none: Line
}

const choicesOf = (state: State, overlay: Extract<Overlay, { kind: 'list' | 'switcher' }>): Choices => {
  if (overlay.kind === 'list') {
    const { title, rows, selected } = overlay
    return {
      title: line(title, 'title'),
      rows: rows.map((row) => row.line),
      selected,
      none: line(safe`nothing`, 'dim'),
    }
  }
  const rows = switcherRows(state, overlay).map((row) => row.line)
  const title = [
    span(overlay.reactTo === undefined ? safe`Go to: ` : safe`React with: `, 'title'),
    span(safeLine(overlay.query.text)),
    span(safe`▏`, 'key'),
  ]
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
  if (overlay.kind === 'picture') return pictureLines(state, overlay)
  if (overlay.kind === 'confirm') return confirmLines(state, overlay, size.width)
  const lines = isPage(overlay)
    ? helpPage(pageLines(state, overlay), overlay.top, size.rows)
    : overlay.kind === 'tour'
      ? tourLines(state, overlay)
      : choiceLines(choicesOf(state, overlay), listRows(size.rows))
  return lines.map((spans) => fit(spans, size.width))
}
