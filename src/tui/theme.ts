// How things look, as data: 16 colours, and every state that a colour shows is shown by a sign or a word too.
// NO_COLOR is honoured where the program starts (main.tsx).
import type { TextProps } from 'ink'

export const theme = {
  plain: {},
  dim: { dimColor: true },
  bar: { inverse: true },
  barProblem: { inverse: true, bold: true, color: 'yellow' },
  name: { bold: true, color: 'cyan' },
  ownName: { bold: true, color: 'green' },
  current: { bold: true },
  selected: { inverse: true },
  unread: { bold: true, color: 'yellow' },
  rule: { color: 'yellow' },
  gap: { color: 'magenta' },
  sent: { dimColor: true },
  seen: { color: 'green' },
  problem: { bold: true, color: 'red' },
  title: { bold: true, underline: true },
  key: { bold: true, color: 'cyan' },
} as const satisfies Record<string, Omit<TextProps, 'children'>>

export type Style = keyof typeof theme
