// The built terminal client in a real pty, read by a headless terminal: first paint, time to usable, key to paint, bytes a key, memory.
// The conversation has 100,000 messages; under load 50 more arrive each second. `npm run bench -- --tui`.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Screen } from '../test/tui-terminal.ts'

const PROGRAM = fileURLToPath(new URL('../test/tui-fake-program.ts', import.meta.url))
const MESSAGES = 100_000
const RATE = 50
const KEYS = 200
const PAUSE_MS = 40
const LETTERS = 'abcdefghijklmnopqrstuvwxyz'

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const now = (): number => performance.now()
const until = async (holds: () => boolean): Promise<void> => {
  for (const deadline = now() + 60_000; !holds(); ) {
    if (now() > deadline) throw new Error('the screen does not show what it should')
    await new Promise((resolve) => setImmediate(resolve))
  }
}
const percentile = (values: number[], part: number): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * part))] ?? 0
const ms = (value: number): string => `${value.toFixed(1)} ms`

/** From the key to the letter on the screen. */
const typeKeys = async (screen: Screen): Promise<{ times: number[]; bytes: number }> => {
  const times: number[] = []
  let typed = ''
  const before = screen.raw.length
  for (let key = 0; key < KEYS; key++) {
    if (typed.length >= 40) {
      screen.type('\x15')
      typed = ''
      await until(() => screen.text.includes('> Message'))
    }
    const letter = LETTERS[key % LETTERS.length] ?? 'a'
    typed += letter
    const at = now()
    screen.type(letter)
    await until(() => screen.text.includes(`> ${typed}`))
    times.push(now() - at)
    await pause(PAUSE_MS)
  }
  return { times, bytes: (screen.raw.length - before) / KEYS }
}

const rssOf = (pid: number): number => {
  const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1])
  return (pages * 4096) / 1024 / 1024
}

const row = (name: string, value: string): void => console.log(`${name.padEnd(44)} ${value}`)

export const benchTui = async (): Promise<void> => {
  const startedAt = now()
  const env = { FAKE_MESSAGES: String(MESSAGES), FAKE_RATE: String(RATE) }
  const screen = new Screen([process.execPath, PROGRAM], { columns: 120, rows: 40, env })
  try {
    // The messages are made before the client begins; what the program says then is where its time starts.
    await until(() => screen.raw.includes('begins'))
    const begunAt = now()
    await until(() => /> \/msg|> Message/.test(screen.text))
    row('first paint', ms(now() - begunAt))
    await until(() => screen.text.includes(`message ${MESSAGES}`))
    row('usable: the newest message is there', ms(now() - begunAt))
    const idle = await typeKeys(screen)
    row('key to paint, idle', `p50 ${ms(percentile(idle.times, 0.5))}  p95 ${ms(percentile(idle.times, 0.95))}`)
    row('bytes for a key, idle', idle.bytes.toFixed(0))
    screen.type('\x15rate\r')
    await until(() => screen.text.includes('rate 1'))
    const busy = await typeKeys(screen)
    row(
      `key to paint, ${RATE} messages/s`,
      `p50 ${ms(percentile(busy.times, 0.5))}  p95 ${ms(percentile(busy.times, 0.95))}`,
    )
    row('memory of the client and its fake library', `${rssOf(screen.pid).toFixed(0)} MiB`)
    row('measured in', `${((now() - startedAt) / 1_000).toFixed(0)} s`)
  } finally {
    await screen.close()
  }
}

if (import.meta.main) await benchTui()
