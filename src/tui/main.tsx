// `chat tui`: joins terminal, state, library and components, and ends them together. Only this file is imported from outside;
// React and Ink load when it runs, after what they read from the environment is set.
import type { Chat } from '../client/api.ts'
import { systemClock } from '../platform/system.ts'
import { ChatError } from '../protocol/errors.ts'
import { attentionBytes, type Notification, wayOf } from './attention.ts'
import { openKept } from './kept.ts'
import { initialState } from './state.ts'
import { createStore, type Store } from './store.ts'
import { Session } from './session.ts'
import { lending } from './lending.ts'
import type { Suspend } from './components/App.tsx'
import { openTerminal, sizeOf } from './terminal.ts'

export interface TuiOptions {
  chat: Chat
  /** Which identity of this machine it is; shown when it is not the usual one. */
  profile?: string
  /** Lines that whoever starts the client wants to be read, shown until the first message is sent. */
  notices?: string[]
  /** The profile's: drafts and what was sent are kept there; nothing is without it. */
  directory?: string
}

/** The exit codes that a shell expects of a program that ended at a signal. */
const signalCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const
const signalNames = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

const loadComponents = async () => {
  // Both are read when the modules load: the development build of React takes twice as long, and Ink asks for colours once.
  process.env.NODE_ENV ??= 'production'
  if (process.env.NO_COLOR) process.env.FORCE_COLOR ??= '0'
  const [{ render }, { createElement }, { App }] = await Promise.all([
    import('ink'),
    import('react'),
    import('./components/App.tsx'),
  ])
  return { render, createElement, App }
}

const onSignals = (end: (code: number) => void): (() => void) => {
  const handlers = signalNames.map((name) => ({ name, handle: () => end(signalCodes[name]) }))
  for (const { name, handle } of handlers) process.on(name, handle)
  return () => {
    for (const { name, handle } of handlers) process.off(name, handle)
  }
}

interface Drawn {
  /** Settles when it is taken off the screen; rejects with what a component threw. */
  ended: Promise<unknown>
  end: () => void
  redraw: () => void
  suspend: Suspend
}
const draw = (store: Store, { render, createElement, App }: Awaited<ReturnType<typeof loadComponents>>): Drawn => {
  let suspend: Suspend = (run) => run()
  const root = createElement(App, {
    store,
    onSuspend: (given) => {
      suspend = given
    },
  })
  const app = render(root, {
    interactive: true,
    alternateScreen: true,
    incrementalRendering: true,
    exitOnCtrlC: false,
    maxFps: 60,
  })
  const redraw = (): void => {
    app.clear()
    app.rerender(root)
  }
  return { ended: app.waitUntilExit(), end: () => app.unmount(), redraw, suspend: (run) => suspend(run) }
}

/** Resolves when the user left or a signal ended it (process.exitCode says which); the chat stays open, it is the caller's. */
export const runTui = async ({ chat, profile = 'default', notices = [], directory }: TuiOptions): Promise<void> => {
  const { stdin, stdout } = process
  if (!stdin.isTTY || !stdout.isTTY) {
    throw new ChatError('USAGE', { message: 'chat tui needs a terminal; chat send and chat listen do without one' })
  }
  const components = await loadComponents()
  const ending = new AbortController()
  const { signal } = ending
  const size = sizeOf(stdout)
  const kept = openKept(directory)
  const nowMs = systemClock.now()
  const store = createStore(initialState({ user: chat.user, profile, notices, size, nowMs, memory: kept.memory }))
  kept.follow(store)
  const endWith = (code: number): void => {
    // Ctrl-C goes to the program that has the terminal and to this one: it is that one's.
    if (signal.aborted || (code === signalCodes.SIGINT && terminal.isLent())) return
    process.exitCode = code
    drawn.end()
  }
  const terminal = openTerminal({
    stdin,
    stdout,
    signal,
    onInput: (event) => store.dispatch(event),
    onLost: () => endWith(signalCodes.SIGHUP),
    onResize: ({ columns, rows }) => store.dispatch({ type: 'resized', columns, rows }),
  })
  const ignoreSignals = onSignals(endWith)
  const drawn = draw(store, components)
  const way = wayOf('auto', process.env)
  const tmux = process.env.TMUX !== undefined
  const write = (bytes: string): void => void stdout.write(bytes)
  const notify = (notification: Notification): void => write(attentionBytes(notification, way, { tmux }))
  const withTerminal = lending({ terminal, store, suspend: drawn.suspend })
  const { end: quit, redraw } = drawn
  new Session({ chat, store, clock: systemClock, signal, quit, redraw, write, notify, withTerminal }).start()
  try {
    await drawn.ended
  } finally {
    ending.abort()
    terminal.restore()
    ignoreSignals()
    await kept.close()
  }
}
