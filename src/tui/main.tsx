// `chat tui`: joins terminal, state, library and components, and ends them together. Only this file is imported from outside;
// React and Ink load when it runs, after what they read from the environment is set.
import { existsSync } from 'node:fs'
import type { Chat } from '../client/api.ts'
import type { ChatBeside } from '../client/beside.ts'
import { safeLine, safeTemplate as safe } from '../client/safe-text.ts'
import { type Logger, silentLogger } from '../platform/ports.ts'
import { systemClock } from '../platform/system.ts'
import { terminalProblem } from '../platform/terminal-problem.ts'
import { ChatError } from '../protocol/errors.ts'
import { attentionBytes, type Notification, wayOf } from './attention.ts'
import { askGraphics } from './asking.ts'
import type { ClusterPort } from './cluster.ts'
import { watchCrashes } from './crash.ts'
import { type Kept, openKept } from './kept.ts'
import { keepingIn, readSettings, SETTINGS_FILE } from './settings-file.ts'
import type { Settings } from './settings.ts'
import { initialState, type State } from './state.ts'
import { createStore } from './store.ts'
import { Session } from './session.ts'
import { draw, type Drawn } from './drawing.ts'
import { drawSpoken } from './spoken-drawing.ts'
import { lending } from './lending.ts'
import { absolutePath } from './paths.ts'
import { tourNotice } from './tour.ts'
import { watchStops } from './stopping.ts'
import { openTerminal, sizeOf } from './terminal.ts'
import { lacksFocus } from './focus-reports.ts'
import { GuessedFocus } from './guessed-focus.ts'

export interface TuiOptions extends Partial<Omit<ChatBeside, 'chat'>> {
  /** May be one that still opens: what is drawn first needs nothing of it. */
  chat: Chat
  /** Which identity of this machine it is; shown when it is not the usual one. */
  profile?: string
  /** Lines that whoever starts the client wants to be read, shown until the first message is sent. */
  notices?: string[]
  /** The cluster as its operators see it, where its token can be read. */
  cluster?: ClusterPort
  /** Lines for a screen reader instead of a screen; else as the settings say. */
  screenReader?: boolean
  /** The profile's: drafts and what was sent are kept there; nothing is without it. */
  directory?: string
  /** Where it tells what fails; a crash says its path. */
  log?: { path: string; logger: Logger }
}

/** The exit codes that a shell expects of a program that ended at a signal. */
const signalCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const
const signalNames = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

const onSignals = (end: (code: number) => void): (() => void) => {
  const handlers = signalNames.map((name) => ({ name, handle: () => end(signalCodes[name]) }))
  for (const { name, handle } of handlers) process.on(name, handle)
  return () => {
    for (const { name, handle } of handlers) process.off(name, handle)
  }
}

const notifying = (
  settings: () => Settings,
  write: (bytes: string) => void,
): ((notification: Notification) => void) => {
  const tmux = process.env.TMUX !== undefined
  return (notification) => write(attentionBytes(notification, wayOf(settings().notify, process.env), { tmux }))
}

/** As the settings say; else where this system keeps downloads, if it does, else here. */
const downloadsOf = ({ downloads }: Settings): string => {
  if (downloads !== undefined) return absolutePath(downloads)
  const usual = absolutePath('~/Downloads')
  return existsSync(usual) ? usual : process.cwd()
}

const beginning = (
  { chat, profile = 'default', notices = [] }: TuiOptions,
  { memory, isFirst, settings }: Pick<Kept, 'memory' | 'isFirst'> & { settings: Settings },
): State => {
  const { keymap, problems, theme = process.env.NO_COLOR ? 'mono' : 'terminal' } = settings
  return initialState({
    user: chat.user,
    profile,
    notices: [
      ...(isFirst ? [tourNotice] : []),
      ...notices,
      ...problems.map((problem) => `${SETTINGS_FILE}: ${problem}`),
    ],
    size: sizeOf(process.stdout),
    nowMs: systemClock.now(),
    memory,
    keymap,
    theme,
    settings,
  })
}

/** Bits of colour that a picture needs. */
const MANY_COLOURS = 8

/** Ink's own variable counts too. */
const isSpoken = ({ screenReader }: TuiOptions, settings: Settings): boolean =>
  screenReader === true || settings.isSpoken || process.env.INK_SCREEN_READER === 'true'

/** Rejects when the promise does; what it resolves with ends nothing. */
const failureOf = (opened: Promise<unknown> = Promise.resolve()): Promise<never> =>
  new Promise((_, reject) => void opened.catch(reject))

/** Resolves when the user left or a signal ended it (process.exitCode says which); the chat stays open, it is the caller's. */
export const runTui = async (options: TuiOptions): Promise<void> => {
  const { stdin, stdout } = process
  const { chat } = options
  const problem = terminalProblem(process, process.env)
  if (problem !== undefined) throw new ChatError('USAGE', { message: problem })
  const settings = readSettings(options.directory)
  const write = (bytes: string): void => void stdout.write(bytes)
  const isScreen = !isSpoken(options, settings)
  const log = options.log?.logger ?? silentLogger
  const crashes = watchCrashes({ log, logPath: options.log?.path })
  const ending = new AbortController()
  const { signal } = ending
  const kept = openKept(options.directory)
  const store = createStore(beginning(options, { ...kept, settings }))
  kept.follow(store)
  const endWith = (code: number): void => {
    // Ctrl-C goes to the program that has the terminal and to this one: it is that one's.
    if (signal.aborted || (code === signalCodes.SIGINT && terminal.isLent())) return
    log.info({ code }, 'a signal, or the end of the terminal')
    process.exitCode = code
    drawn.end()
  }
  const focus = new GuessedFocus({ store, clock: systemClock, signal })
  const terminal = openTerminal({
    stdin,
    stdout,
    isScreen,
    signal,
    onInput: (event) => {
      focus.input(event)
      store.dispatch(event)
    },
    onLost: () => endWith(signalCodes.SIGHUP),
    onResize: ({ columns, rows }) => store.dispatch({ type: 'resized', columns, rows }),
  })
  const followMouse = (): void => terminal.useMouse(isScreen && store.getState().settings.hasMouse)
  followMouse()
  store.subscribe(followMouse)
  const ignoreSignals = onSignals(endWith)
  const drawn: Drawn = isScreen ? draw(store) : drawSpoken(store, write)
  const settingsNow = (): Settings => store.getState().settings
  const notify = notifying(settingsNow, write)
  const withTerminal = lending({ terminal, store, suspend: drawn.suspend })
  const { stop, release: ignoreStops } = watchStops(systemClock, withTerminal)
  const { end: quit, redraw } = drawn
  options.onCrash?.((error) => {
    log.error({ error }, 'the thread of the profile crashed')
    const text = safe`What talks to the cluster crashed and was started again: ${safeLine(error.message, { maxLength: 120 })}`
    store.dispatch({ type: 'toast', text, style: 'problem' })
  })
  const asking = { env: process.env, clock: systemClock, write, onReply: terminal.onReply }
  const ports = {
    stop,
    askGraphics: () => askGraphics(isScreen ? settings.graphics : 'blocks', asking),
    chat,
    store,
    clock: systemClock,
    log,
    signal,
    quit,
    redraw,
    write,
    notify,
    withTerminal,
    keepSetting: keepingIn(options.directory),
    downloads: () => downloadsOf(settingsNow()),
  }
  const hasColours = isScreen && stdout.getColorDepth() >= MANY_COLOURS
  const { isLive } = settings
  new Session({ ...ports, cluster: options.cluster, isLive, hasColours }).start()
  void lacksFocus(process.env).then((isUntold) => (isUntold ? focus.start() : undefined))
  try {
    await Promise.race([drawn.ended, crashes.crashed, failureOf(options.opened)])
  } catch (error) {
    drawn.end()
    throw crashes.told(error)
  } finally {
    ending.abort()
    terminal.restore()
    ignoreStops()
    await kept.close()
    // Not before: a terminal that is closed says so more than once.
    ignoreSignals()
    crashes.release()
  }
}
