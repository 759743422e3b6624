// The operator's view: nodes with what they do and how they are, who keeps the messages, and what changed last. Pure.
import { type SafeText, safeLine, safeTemplate as safe } from '../client/safe-text.ts'
import { joinText, spaces, truncate, widthOf } from './cells.ts'
import type { ClusterHomes, ClusterNode, ClusterReport, ClusterState } from './cluster.ts'
import { emptyLine, fit, type Line, line, type Span, span } from './lines.ts'
import { sizeText } from './messages.ts'
import type { State } from './state.ts'
import type { Style } from './theme.ts'
import { clockText, durationText } from './times.ts'

interface Column {
  head: SafeText
  /** What goes first where there is no room; 0 stays. */
  rank: number
  cell: (node: ClusterNode) => SafeText
  style?: (node: ClusterNode) => Style
}

const orDash = <T>(value: T | null, text: (value: T) => SafeText): SafeText => (value === null ? safe`-` : text(value))
const count = (value: number | null): SafeText => orDash(value, (known) => safe`${known}`)
const behind = (value: SafeText, lag: number | null): SafeText => (lag ? safe`${value} (-${lag})` : value)

const stateStyles: Record<string, Style> = { up: 'seen', down: 'problem' }

const columns: readonly Column[] = [
  { head: safe`NODE`, rank: 0, cell: ({ name }) => safeLine(name, { maxLength: 24 }) },
  {
    head: safe`STATE`,
    rank: 0,
    cell: ({ state }) => safeLine(state, { maxLength: 12 }),
    style: ({ state }) => stateStyles[state] ?? 'unread',
  },
  {
    head: safe`ROLES`,
    rank: 6,
    cell: ({ roles, authority }) => safeLine(`${roles.join(',')}${authority ? ' (authority)' : ''}`, { maxLength: 40 }),
  },
  { head: safe`LAG`, rank: 1, cell: ({ lagMs }) => orDash(lagMs, (ms) => safe`${Math.round(ms)} ms`) },
  { head: safe`EPOCHS BEHIND`, rank: 8, cell: ({ epochLag }) => count(epochLag) },
  { head: safe`RECORDS`, rank: 2, cell: ({ records, recordLag }) => behind(count(records), recordLag) },
  { head: safe`SESSIONS`, rank: 3, cell: ({ sessions }) => count(sessions) },
  { head: safe`LEASES`, rank: 4, cell: ({ leases }) => count(leases) },
  {
    head: safe`QUEUED`,
    rank: 5,
    cell: ({ queued, queuedBytes }) => orDash(queued, (known) => safe`${known} · ${sizeText(queuedBytes)}`),
  },
  { head: safe`MEMORY`, rank: 7, cell: ({ rssBytes }) => orDash(rssBytes, sizeText) },
  { head: safe`UP FOR`, rank: 9, cell: ({ uptimeMs }) => orDash(uptimeMs, durationText) },
]
const GAP = 2

interface Laid {
  column: Column
  width: number
}
/** As many columns as fit, the least important left out. */
const laidOut = (nodes: readonly ClusterNode[], width: number): Laid[] => {
  const all = columns.map((column) => ({
    column,
    width: Math.max(widthOf(column.head), ...nodes.map((node) => widthOf(column.cell(node)))),
  }))
  const ranked = [...all].sort((a, b) => a.column.rank - b.column.rank)
  const kept = new Set<Laid>()
  let used = 0
  for (const laid of ranked) {
    if (used + laid.width > width && laid.column.rank > 0) break
    used += laid.width + GAP
    kept.add(laid)
  }
  return all.filter((laid) => kept.has(laid))
}

const rowOf = (laid: readonly Laid[], spanOf: (column: Column) => Span): Line =>
  laid.flatMap(({ column, width }, index) => {
    const cell = spanOf(column)
    const isLast = index === laid.length - 1
    return isLast ? [cell] : [cell, span(spaces(width - widthOf(cell.text) + GAP))]
  })

const tableLines = (nodes: readonly ClusterNode[], width: number): Line[] => {
  const laid = laidOut(nodes, width)
  return [
    rowOf(laid, ({ head }) => span(head, 'title')),
    ...nodes.map((node) => rowOf(laid, (column) => span(column.cell(node), column.style?.(node) ?? 'plain'))),
  ]
}

const homesLine = (title: SafeText, { n, w, r, homes }: ClusterHomes): Line => {
  const listed = homes.flatMap(({ name, readable, writable }, index): Span[] => {
    const wrong = [...(readable ? [] : [safe`not readable`]), ...(writable ? [] : [safe`not writable`])]
    const text = wrong.length === 0 ? safeLine(name) : safe`${safeLine(name)} (${joinText(wrong, ' ')})`
    return [span(index === 0 ? safe`` : safe`, `), span(text, wrong.length === 0 ? 'plain' : 'problem')]
  })
  const none = homes.length === 0 ? [span(safe`no store yet`, 'problem')] : listed
  return [span(safe`${title}: N=${n} W=${w} R=${r} on `, 'dim'), ...none]
}

const reportLines = (report: ClusterReport, width: number): Line[] => {
  const { cluster, epoch, joint, node, nodes, current, next } = report
  const up = nodes.filter(({ state }) => state === 'up').length
  const joining = joint ? safe` (the homes are changing)` : safe``
  return [
    [
      span(safe`Cluster ${truncate(safeLine(cluster), 12)}`, 'title'),
      span(safe`  ${up} of ${nodes.length} nodes up · epoch ${epoch}${joining} · seen by ${safeLine(node)}`),
    ],
    homesLine(safe`messages`, current),
    ...(next ? [homesLine(safe`changing to`, next)] : []),
    emptyLine,
    ...tableLines(nodes, width),
  ]
}

const changeLines = ({ changes }: ClusterState): Line[] =>
  [...changes]
    .reverse()
    .map(({ atMs, name, state }) => [
      span(safe`${clockText(atMs)} `, 'dim'),
      span(name),
      span(safe` is `, 'dim'),
      span(state, stateStyles[state] ?? 'unread'),
    ])

export const clusterLines = ({ cluster }: State, width: number): Line[] => {
  if (!cluster) return [line(safe`Asking the cluster …`, 'dim')]
  const { report, problem, changes } = cluster
  const lines = [
    ...(problem === undefined ? [] : [line(safe`No answer: ${problem}`, 'problem')]),
    ...(report ? reportLines(report, width) : []),
    ...(changes.length > 0 ? [emptyLine, line(safe`What changed`, 'title'), ...changeLines(cluster)] : []),
  ]
  return lines.map((spans) => fit(spans, width))
}
