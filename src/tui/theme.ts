// How things look, as data: a table per theme, and every state that a colour shows is shown by a sign or a word too.
// `terminal` uses the 16 colours of the terminal, which its user chose; `mono` none. NO_COLOR means mono where nothing else is said.
import type { TextProps } from 'ink'

export const styles = [
  'plain',
  'dim',
  'bar',
  'barProblem',
  'name',
  'ownName',
  'current',
  'selected',
  'unread',
  'mention',
  'rule',
  'gap',
  'sent',
  'seen',
  'problem',
  'title',
  'key',
] as const
export type Style = (typeof styles)[number]
export type Theme = Readonly<Record<Style, Omit<TextProps, 'children'>>>

const terminal: Theme = {
  plain: {},
  dim: { dimColor: true },
  bar: { inverse: true },
  barProblem: { inverse: true, bold: true, color: 'yellow' },
  name: { bold: true, color: 'cyan' },
  ownName: { bold: true, color: 'green' },
  current: { bold: true },
  selected: { inverse: true },
  unread: { bold: true, color: 'yellow' },
  mention: { bold: true, inverse: true, color: 'yellow' },
  rule: { color: 'yellow' },
  gap: { color: 'magenta' },
  sent: { dimColor: true },
  seen: { color: 'green' },
  problem: { bold: true, color: 'red' },
  title: { bold: true, underline: true },
  key: { bold: true, color: 'cyan' },
}

const mono: Theme = {
  ...terminal,
  barProblem: { inverse: true, bold: true },
  name: { bold: true },
  ownName: { bold: true, underline: true },
  unread: { bold: true },
  mention: { bold: true, inverse: true },
  rule: { bold: true },
  gap: { italic: true },
  seen: {},
  problem: { bold: true, inverse: true },
  key: { bold: true },
}

interface Palette {
  faint: string
  bar: string
  onBar: string
  name: string
  own: string
  alert: string
  gap: string
  problem: string
}
const coloured = ({ faint, bar, onBar, name, own, alert, gap, problem }: Palette): Theme => ({
  ...terminal,
  dim: { color: faint },
  bar: { backgroundColor: bar, color: onBar },
  barProblem: { backgroundColor: bar, color: alert, bold: true },
  name: { color: name, bold: true },
  ownName: { color: own, bold: true },
  unread: { color: alert, bold: true },
  mention: { color: alert, bold: true, inverse: true },
  rule: { color: alert },
  gap: { color: gap },
  sent: { color: faint },
  seen: { color: own },
  problem: { color: problem, bold: true },
  key: { color: name, bold: true },
})

export const themes = {
  terminal,
  dark: coloured({
    faint: '#8a8f98',
    bar: '#3a3f4b',
    onBar: '#e6e8eb',
    name: '#7cc7ff',
    own: '#8fd694',
    alert: '#ffd166',
    gap: '#d8a6ff',
    problem: '#ff7b72',
  }),
  light: coloured({
    faint: '#6b7078',
    bar: '#dfe3e8',
    onBar: '#1f2328',
    name: '#0550ae',
    own: '#116329',
    alert: '#8a4600',
    gap: '#6f2dbd',
    problem: '#b3141d',
  }),
  mono,
} as const satisfies Record<string, Theme>

export type ThemeName = keyof typeof themes
export const isThemeName = (name: string): name is ThemeName => Object.hasOwn(themes, name)
