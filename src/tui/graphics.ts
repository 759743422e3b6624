// Which graphics a terminal has, told from what it sets in the environment and what it answered, and where a picture goes in it. Pure.
// One that is not known shows half blocks: nothing is tried on it.
export const graphicsWays = ['auto', 'kitty', 'iterm', 'sixel', 'blocks'] as const
export type GraphicsWay = (typeof graphicsWays)[number]
export type Graphics = Exclude<GraphicsWay, 'auto'>

/** What the terminal said of itself; nothing, when it said nothing in time. */
export interface TerminalAnswers {
  readonly hasSixel: boolean
  /** Of a cell, in pixels. */
  readonly cell: { readonly width: number; readonly height: number }
}
export const noAnswers: TerminalAnswers = { hasSixel: false, cell: { width: 10, height: 20 } }

/** tmux, between this program and a terminal. */
export interface Tmux {
  /** It hands on what is meant for the terminal. */
  readonly passesOn: boolean
  /** Of the pane in the terminal, from 0. */
  readonly left: number
  readonly top: number
  /** What the terminal calls itself, as TERM and in words. */
  readonly term: string
  readonly words: string
}

type Known = readonly [pattern: RegExp, graphics: Graphics]
const byTerm: readonly Known[] = [
  [/kitty|ghostty/, 'kitty'],
  [/iterm/i, 'iterm'],
  [/^(?:dumb|linux|vt\d+|screen.*)$/, 'blocks'],
]
const byVariable: readonly (readonly [variable: string, pattern: RegExp, graphics: Graphics])[] = [
  ['KITTY_WINDOW_ID', /./, 'kitty'],
  ['GHOSTTY_RESOURCES_DIR', /./, 'kitty'],
  ['KONSOLE_VERSION', /./, 'kitty'],
  ['WEZTERM_PANE', /./, 'iterm'],
  ['TERM_PROGRAM', /^(?:iTerm\.app|WezTerm|mintty)$/, 'iterm'],
  ['LC_TERMINAL', /^iTerm/, 'iterm'],
]
const named = (names: readonly Known[], text: string): Graphics | undefined =>
  names.find(([pattern]) => pattern.test(text))?.[1]

/** A terminal that may be asked: the others would show the question. */
export const canBeAsked = ({ TERM = '' }: NodeJS.ProcessEnv): boolean => TERM !== '' && named(byTerm, TERM) !== 'blocks'

const inTmux = ({ passesOn, term, words }: Tmux): Graphics | undefined =>
  passesOn ? (named(byTerm, term) ?? named([...byTerm, [/wezterm/i, 'iterm']], words)) : undefined

export const graphicsOf = (
  wanted: GraphicsWay,
  { env, answers, tmux }: { env: NodeJS.ProcessEnv; answers: TerminalAnswers; tmux: Tmux | undefined },
): Graphics => {
  if (wanted !== 'auto') return wanted
  const usual = answers.hasSixel ? 'sixel' : 'blocks'
  // In tmux the environment is that of whoever began it, on whatever terminal.
  if (env.TMUX !== undefined) return (tmux && inTmux(tmux)) ?? usual
  const found = named(byTerm, env.TERM ?? '')
  if (found === 'blocks') return found
  return found ?? byVariable.find(([variable, pattern]) => pattern.test(env[variable] ?? ''))?.[2] ?? usual
}

/** Primary device attributes: 4 is sixel. The size of a cell: 6, height, width. */
export const answersOf = (replies: readonly string[]): TerminalAnswers => {
  const attributes = replies.map((reply) => /^\?([\d;]+)c$/.exec(reply)?.[1]).find((found) => found !== undefined)
  const size = replies.map((reply) => /^6;(\d+);(\d+)t$/.exec(reply)).find((found) => found !== null)
  const [height, width] = [Number(size?.[1] ?? 0), Number(size?.[2] ?? 0)]
  return {
    hasSixel: attributes?.split(';').includes('4') === true,
    cell: height > 0 && width > 0 ? { width, height } : noAnswers.cell,
  }
}
export const isLastAnswer = (reply: string): boolean => /^\?[\d;]+c$/.test(reply)
/** The size of a cell, then what every terminal answers. */
export const QUESTION = '\x1b[16t\x1b[c'
