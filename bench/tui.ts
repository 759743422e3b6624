// The built terminal client in a real pty, as a user starts it: on a real node, with 100,000 messages of history in its profile; what it
// writes is read by a headless terminal. A time ends when the bytes are at the terminal. `npm run bench -- --tui`.
import { join } from 'node:path'
import { Screen } from '../test/tui-terminal.ts'
import { residentBytes } from './processes.ts'
import { pause, percentile } from './scenarios.ts'
import { FRIEND, type History, makeHistory, READER, WRITERS } from './tui-history.ts'

const CHAT = join(import.meta.dirname, '..', 'bin', 'chat.js')
const MESSAGES = 100_000
const RATE = 50
const KEYS = 200
const KEY_PAUSE_MS = 40
const STARTS = 5
const SENDS = 40
const LETTERS = 'abcdefghijklmnopqrstuvwxyz'
const SIZE = { columns: 120, rows: 40 }
const MAX_DRAFT = 40
const now = (): number => performance.now()

export interface Spread {
  p50: number
  p95: number
}
const spread = (values: number[]): Spread => ({ p50: percentile(values, 0.5), p95: percentile(values, 0.95) })

export interface TuiFigures {
  /** Of history. */
  messages: number
  /** Until this Node runs a program that does nothing. */
  runtimeMs: number
  /** From then on. */
  firstPaintMs: number
  usableMs: number
  idleKeyMs: Spread
  busyKeyMs: Spread
  bytesPerKey: number
  /** From Enter to `received` on the screen. */
  receivedMs: Spread
  memoryMiB: number
}

/** Middle of several: the first may find the program's files on disk only. */
const runtimeMs = async (): Promise<number> => {
  const times: number[] = []
  for (let i = 0; i < STARTS; i++) {
    const at = now()
    const screen = new Screen([process.execPath, '-e', 'console.log("up")'], SIZE)
    times.push((await screen.seen(() => screen.text.includes('up'), 'up')) - at)
    await screen.ends()
    await screen.close()
  }
  return percentile(times, 0.5)
}

const open = (home: string): Screen =>
  new Screen([process.execPath, CHAT, '--home', home, '--profile', READER, 'tui'], SIZE)
const quit = async (screen: Screen): Promise<void> => {
  screen.type('\x15/quit\r')
  await screen.ends()
  await screen.close()
}

/** From its start: when the input line stands there, and when the newest message does. */
const startTimes = async (screen: Screen, newest: string): Promise<{ paint: number; usable: number }> => {
  const at = now()
  const paint = await screen.seen(() => screen.isAlternate && /^> /m.test(screen.text), 'the input line')
  const usable = await screen.seen(() => screen.text.includes(newest), newest)
  return { paint: paint - at, usable: usable - at }
}

/** From the key to the letter on the screen. */
const typeKeys = async (screen: Screen): Promise<{ times: number[]; bytes: number }> => {
  const times: number[] = []
  const before = screen.raw.length
  let typed = ''
  for (let key = 0; key < KEYS; key++) {
    if (typed.length >= MAX_DRAFT) {
      screen.type('\x15')
      typed = ''
      await screen.seen(() => screen.text.includes('> Message'), 'an empty input line')
    }
    typed += LETTERS[key % LETTERS.length] ?? 'a'
    const at = now()
    screen.type(typed.slice(-1))
    times.push((await screen.seen(() => screen.text.includes(`> ${typed}`), typed)) - at)
    await pause(KEY_PAUSE_MS)
  }
  screen.type('\x15')
  return { times, bytes: (screen.raw.length - before) / KEYS }
}

/** To somebody whose client answers each message with its receipt. */
const sendTimes = async (screen: Screen): Promise<number[]> => {
  const times: number[] = []
  screen.type(`/msg ${FRIEND}\r`)
  await screen.seen(() => screen.lines[0]?.includes(FRIEND) === true, FRIEND)
  for (let index = 1; index <= SENDS; index++) {
    const at = now()
    screen.type(`said ${index}\r`)
    const received = new RegExp(`said ${index} +✓✓`)
    times.push((await screen.seen(() => received.test(screen.text), String(received))) - at)
    await pause(KEY_PAUSE_MS)
  }
  screen.type(`/msg ${WRITERS[0]}\r`)
  return times
}

/** Messages of the open conversation, until it is stopped. */
const arriving = ({ writer, sent }: History): (() => void) => {
  let index = sent
  const timer = setInterval(
    () => writer.send(writer.prepare(READER, ++index, `message ${index} arrives`)),
    1_000 / RATE,
  )
  return () => clearInterval(timer)
}

const measure = async (history: History): Promise<Omit<TuiFigures, 'messages'>> => {
  const { home, sent } = history
  const runtime = await runtimeMs()
  const starts: { paint: number; usable: number }[] = []
  for (let i = 0; i < STARTS; i++) {
    const screen = open(home)
    starts.push(await startTimes(screen, `message ${sent}`))
    await quit(screen)
  }
  const screen = open(home)
  try {
    await startTimes(screen, `message ${sent}`)
    await pause(1_000)
    const idle = await typeKeys(screen)
    const received = await sendTimes(screen)
    const stop = arriving(history)
    await screen.seen(() => screen.text.includes(`message ${sent + RATE}`), 'what arrives')
    const busy = await typeKeys(screen)
    stop()
    const memoryMiB = residentBytes(screen.pid) / 2 ** 20
    const middle = (name: 'paint' | 'usable'): number =>
      percentile(
        starts.map((start) => start[name] - runtime),
        0.5,
      )
    return {
      runtimeMs: runtime,
      firstPaintMs: middle('paint'),
      usableMs: middle('usable'),
      idleKeyMs: spread(idle.times),
      busyKeyMs: spread(busy.times),
      bytesPerKey: idle.bytes,
      receivedMs: spread(received),
      memoryMiB,
    }
  } finally {
    await screen.close()
  }
}

export const measureTui = async (scale: number): Promise<TuiFigures> => {
  const messages = MESSAGES * scale
  process.stderr.write(`terminal client: ${messages} messages of history\n`)
  const history = await makeHistory(messages)
  try {
    process.stderr.write('terminal client: on the screen\n')
    return { messages, ...(await measure(history)) }
  } finally {
    await history.stop()
  }
}
