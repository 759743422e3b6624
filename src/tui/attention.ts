// What draws attention while nobody looks at the terminal, and the bytes that do it: the bell, and a notification of the desktop
// by OSC 9 or OSC 777. Pure; notifier.ts says when. Everything of others in it is SafeText: no byte of theirs ends a sequence.
import type { ChatEvent } from '../client/api.ts'
import { type SafeText, safeLine, safeTemplate as safe } from '../client/safe-text.ts'
import { joinText } from './cells.ts'
import { levelOf } from './levels.ts'
import { isMention } from './mentions.ts'
import type { State } from './state.ts'

/** How it is told; `auto` looks at the terminal. The bell rings with all but `none`. */
export const notifyWays = ['auto', 'bell', 'osc9', 'osc777', 'none'] as const
export type NotifyWay = (typeof notifyWays)[number]

export interface Arrival {
  readonly from: SafeText
  readonly text: SafeText
}
export interface Notification {
  readonly title: SafeText
  readonly body: SafeText
}
const MAX_BODY = 200

/** By the level of the conversation, while the terminal is not looked at. */
export const arrivalOf = (state: State, event: ChatEvent): Arrival | undefined => {
  if (event.type !== 'message' || event.from === state.user || state.isFocused) return undefined
  const level = levelOf(state, event.conversation)
  if (level === 'none' || (level === 'mentions' && !isMention(event.text, state.user))) return undefined
  const text = event.text === '' ? safe`sent a file` : safeLine(event.text, { maxLength: MAX_BODY })
  return { from: safeLine(event.from, { maxLength: 64 }), text }
}

/** One message is shown, several are counted: a hundred that arrive at once are one notification. */
export const notificationOf = (arrivals: readonly Arrival[]): Notification => {
  const names = [...new Set(arrivals.map(({ from }) => from))]
  const title = joinText(names.slice(0, 3).flatMap((name, index) => (index === 0 ? [name] : [safe`, `, name])))
  const [only] = arrivals
  const body = arrivals.length === 1 && only ? only.text : safe`${arrivals.length} messages`
  return { title: names.length > 3 ? safe`${title} and ${names.length - 3} more` : title, body }
}

/** What terminals set in the environment, also seen through tmux; none of them is asked, a reply would be typed text. */
const known: readonly [variable: string, pattern: RegExp, way: NotifyWay][] = [
  ['TERM', /^(dumb|linux|vt\d+)$/, 'bell'],
  ['ITERM_SESSION_ID', /./, 'osc9'],
  ['KITTY_WINDOW_ID', /./, 'osc9'],
  ['WEZTERM_PANE', /./, 'osc9'],
  ['GHOSTTY_RESOURCES_DIR', /./, 'osc9'],
  ['WT_SESSION', /./, 'bell'],
  ['TERM_PROGRAM', /^(iTerm\.app|WezTerm|ghostty)$/, 'osc9'],
]
/** Terminals that know none of them ignore OSC 777, while OSC 9 has other meanings in some. */
export const wayOf = (wanted: NotifyWay, env: NodeJS.ProcessEnv): NotifyWay =>
  wanted === 'auto' ? (known.find(([variable, pattern]) => pattern.test(env[variable] ?? ''))?.[2] ?? 'osc777') : wanted

const BEL = '\x07'
const sequences: Record<NotifyWay, (notification: Notification) => string> = {
  auto: () => '',
  none: () => '',
  bell: () => '',
  osc9: ({ title, body }) => `\x1b]9;${title}: ${body}${BEL}`,
  // A semicolon in the title would end it.
  osc777: ({ title, body }) => `\x1b]777;notify;${title.replaceAll(';', ',')};${body}${BEL}`,
}

/** tmux hands on what comes in its own envelope, when allow-passthrough is on; each ESC is doubled in it. */
export const throughTmux = (sequence: string): string => `\x1bPtmux;${sequence.replaceAll('\x1b', '\x1b\x1b')}\x1b\\`

export const attentionBytes = (notification: Notification, way: NotifyWay, { tmux }: { tmux: boolean }): string => {
  if (way === 'none') return ''
  const sequence = sequences[way](notification)
  return BEL + (tmux && sequence !== '' ? throughTmux(sequence) : sequence)
}
