// A program in a real pty, its screen read by a headless terminal: what a person would see, and whether it was put back.
import { spawn } from '@lydell/node-pty'
import headless from '@xterm/headless'
import { eventually } from './eventually.ts'

export interface ScreenOptions {
  columns?: number
  rows?: number
  env?: Record<string, string>
}
type Terminal = InstanceType<typeof headless.Terminal>
export interface Ended {
  exitCode: number
  signal: number
}

export class Screen {
  readonly #terminal: Terminal
  readonly #pty: ReturnType<typeof spawn>
  readonly #drawn = new Set<(at: number) => void>()
  /** Everything that was written, for what a screen does not show. */
  raw = ''
  ended: Ended | undefined

  constructor(command: string[], { columns = 80, rows = 24, env = {} }: ScreenOptions = {}) {
    const [file = process.execPath, ...args] = command
    this.#terminal = new headless.Terminal({ cols: columns, rows, allowProposedApi: true })
    const { NO_COLOR: _, FORCE_COLOR: __, CI: ___, ...inherited } = process.env
    this.#pty = spawn(file, args, {
      name: env.TERM ?? 'xterm-256color', // what TERM becomes
      cols: columns,
      rows,
      env: { ...inherited, ...env },
    })
    this.#pty.onData((data) => {
      const at = performance.now()
      this.raw += data
      this.#terminal.write(data, () => {
        for (const listener of this.#drawn) listener(at)
      })
    })
    // Answers of the terminal to questions of the program, as a real one gives them.
    this.#terminal.onData((data) => this.#pty.write(data))
    this.#pty.onExit(({ exitCode, signal }) => {
      this.ended = { exitCode, signal: signal ?? 0 }
    })
  }

  get pid(): number {
    return this.#pty.pid
  }

  get lines(): string[] {
    const { active } = this.#terminal.buffer
    return Array.from({ length: this.#terminal.rows }, (_, row) =>
      (active.getLine(active.viewportY + row)?.translateToString(true) ?? '').trimEnd(),
    )
  }

  get text(): string {
    return this.lines.join('\n')
  }

  get isAlternate(): boolean {
    return this.#terminal.buffer.active.type === 'alternate'
  }

  get cursor(): { x: number; y: number } {
    return { x: this.#terminal.buffer.active.cursorX, y: this.#terminal.buffer.active.cursorY }
  }

  get modes(): { wraps: boolean; pastes: boolean; reportsFocus: boolean } {
    const { wraparoundMode, bracketedPasteMode, sendFocusMode } = this.#terminal.modes
    return { wraps: wraparoundMode, pastes: bracketedPasteMode, reportsFocus: sendFocusMode }
  }

  get reportsMouse(): boolean {
    return this.#terminal.modes.mouseTrackingMode !== 'none'
  }

  type(keys: string): void {
    this.#pty.write(keys)
  }

  resize(columns: number, rows: number): void {
    this.#terminal.resize(columns, rows)
    this.#pty.resize(columns, rows)
  }

  /** As a window does that is closed, or a connection that breaks. */
  hangUp(): void {
    const pty = this.#pty as unknown as { destroy: () => void } // what the declared type leaves out
    pty.destroy()
  }

  async shows(pattern: RegExp | string): Promise<void> {
    const isShown = (): boolean => (typeof pattern === 'string' ? this.text.includes(pattern) : pattern.test(this.text))
    try {
      await eventually(isShown, { what: `the screen shows ${pattern}` })
    } catch (error) {
      throw new Error(`${String(error)}\n${this.text}`, { cause: error })
    }
  }

  /** When the bytes came that made it so, by performance.now(): what the terminal itself takes to draw them is not in it. */
  seen(holds: () => boolean, what: string): Promise<number> {
    if (holds()) return Promise.resolve(performance.now())
    return new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer)
        this.#drawn.delete(look)
      }
      const look = (at: number): void => {
        if (!holds()) return
        end()
        resolve(at)
      }
      const timer = setTimeout(() => {
        end()
        reject(new Error(`the screen does not show ${what}\n${this.text}`))
      }, 60_000)
      this.#drawn.add(look)
    })
  }

  /** What is made of the screen, once it is what is expected. */
  async becomes(make: (terminal: Terminal) => string, expected: string, what: string): Promise<void> {
    await eventually(() => make(this.#terminal) === expected, { timeoutMs: 30_000, what })
  }

  /** What is made of the screen when nothing has been written for a while; for people, no test may wait so. */
  async settled(make: (terminal: Terminal) => string): Promise<string> {
    for (let before = -1; before !== this.raw.length; ) {
      before = this.raw.length
      await new Promise((resolve) => setTimeout(resolve, 1_000))
    }
    return make(this.#terminal)
  }

  async ends(): Promise<Ended> {
    await eventually(() => this.ended, { what: 'the program ends' })
    return this.ended ?? { exitCode: -1, signal: 0 }
  }

  kill(signal: NodeJS.Signals): void {
    process.kill(this.pid, signal)
  }

  /** Leaves nothing behind; harmless when it has ended. */
  async close(): Promise<void> {
    if (!this.ended) this.#pty.kill('SIGKILL')
    await this.ends()
    this.#terminal.dispose()
  }
}
