// States of the terminal client as tests need them: made, typed into, and read as text.
import { safeText } from '../src/client/safe-text.ts'
import { createInputDecoder } from '../src/tui/input.ts'
import { lineText } from '../src/tui/lines.ts'
import type { TimelineMessage } from '../src/tui/messages.ts'
import { type Action, reduce } from '../src/tui/reduce.ts'
import { screenOf } from '../src/tui/screen-view.ts'
import { type Effect, initialState, type State } from '../src/tui/state.ts'

export const NOW = new Date(2026, 10, 23, 12, 0).getTime()
export const MINUTE = 60_000

export const fresh = (options: Partial<Parameters<typeof initialState>[0]> = {}): State =>
  initialState({
    user: 'alice',
    profile: 'default',
    notices: [],
    size: { columns: 50, rows: 16 },
    nowMs: NOW,
    ...options,
  })

export interface Run {
  state: State
  effects: Effect[]
}
export const run = (state: State, ...actions: Action[]): Run => {
  const effects: Effect[] = []
  for (const action of actions) {
    const next = reduce(state, action)
    state = next.state
    effects.push(...next.effects)
  }
  return { state, effects }
}
export const sidebarText = (state: State): string => screenOf(state).sidebar.map(lineText).join('\n')
/** As if typed: `\r` is Enter, `\x10` Ctrl-P. */
export const type = (state: State, keys: string): Run => {
  const decoder = createInputDecoder()
  return run(state, ...decoder.push(keys), ...decoder.flush())
}

export const message = (id: string, text: string, options: Partial<TimelineMessage> = {}): TimelineMessage => ({
  id,
  from: safeText(options.isOwn ? 'alice' : 'bob'),
  isOwn: false,
  atMs: NOW,
  text: safeText(text),
  status: 'received',
  ...options,
})
export const inbox = (...entries: [name: string, unread: number][]): Action => ({
  type: 'inbox',
  conversations: entries.map(([name, unread]) => ({
    name,
    title: safeText(name),
    unread,
    firstUnread: undefined,
    activeAtMs: 0,
    mentions: 0,
    isMarked: false,
    level: name.startsWith('#') ? ('mentions' as const) : ('all' as const),
    last: undefined,
  })),
})
export const timeline = (conversation: string, messages: TimelineMessage[]): Action => ({
  type: 'timeline',
  conversation,
  messages,
  gaps: [],
  hasStart: true,
})
export const many = (count: number): TimelineMessage[] =>
  Array.from({ length: count }, (_, index) => message(`m${index}`, `text ${index}`))
export const withBob = (...messages: TimelineMessage[]): State =>
  run(fresh(), inbox(['bob', 0], ['carol', 2], ['dan', 0]), timeline('bob', messages)).state
