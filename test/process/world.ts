// A real cluster for tests: started and driven by the built programs, as a user would. Ends with its test, whatever happens.
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = new URL('../..', import.meta.url).pathname
const programs = { chatd: join(root, 'bin/chatd.js'), chat: join(root, 'bin/chat.js') }
export type Program = keyof typeof programs

export interface Run {
  code: number
  stdout: string
  stderr: string
}
const RUN_MS = 90_000

/** Runs one of the programs to its end. */
export const run = (program: Program, args: string[], input?: string): Promise<Run> =>
  new Promise((resolve) => {
    const options = { timeout: RUN_MS, maxBuffer: 64 * 1024 * 1024, killSignal: 'SIGKILL' as const }
    const child = execFile(process.execPath, [programs[program], ...args], options, (error, stdout, stderr) => {
      const code = error ? (typeof error.code === 'number' ? error.code : 255) : 0
      resolve({ code, stdout, stderr })
    })
    child.stdin?.on('error', () => {}) // it may end before it has read everything
    child.stdin?.end(input ?? '')
  })

/** How long a program takes here and now to start and do nothing: what a bound on the time of others has to allow for. */
export const idleRunMs = async (): Promise<number> => {
  const startedAt = performance.now()
  await run('chat', ['--version'])
  return performance.now() - startedAt
}

/** A program that goes on; its lines of JSON as they come. */
export class Running {
  readonly child: ChildProcess
  readonly lines: Record<string, unknown>[] = []
  stderr = ''
  #rest = ''

  constructor(program: Program, args: string[], env: NodeJS.ProcessEnv = {}) {
    const options = { env: { ...process.env, ...env } }
    this.child = spawn(process.execPath, [programs[program], ...args], options)
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => this.#take(text))
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
    })
  }

  end(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    const { child } = this
    if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode)
    return new Promise((resolve) => {
      child.once('exit', (code) => resolve(code))
      child.kill(signal)
    })
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) {
      if (line.startsWith('{')) this.lines.push(JSON.parse(line) as Record<string, unknown>) // an object, by its brace
    }
  }
}

export interface Sent {
  id: string
  status: string
  storedAt: string | null
  receivedAt: string | null
  readAt: string | null
}
export interface NodeState {
  cuts: { node: string; mode: string }[]
  name: string
  roles: string[]
  pid: number | null
  state: string
  admin: string | null
  ws: string | null
}

const must = (what: string, { code, stdout, stderr }: Run): string => {
  if (code === 0) return stdout
  throw new Error(`${what} ended with ${code}\n${stderr}${stdout}`)
}

export class World {
  readonly dir: string
  gateways: string[] = []
  readonly #running: Running[] = []

  private constructor() {
    this.dir = mkdtempSync(join(tmpdir(), 'chatd-test-'))
  }

  static async up(counts: { gateways: number; routers: number; stores: number; groups?: number }): Promise<World> {
    const world = new World()
    const flags = Object.entries({ groups: 0, ...counts }).flatMap(([name, count]) => [`--${name}`, String(count)])
    try {
      const up = await world.cluster('up', ...flags, '--detach', '--json')
      world.gateways = (JSON.parse(up) as { gateways: string[] }).gateways // interface.md
      return world
    } catch (error) {
      await world.end()
      throw error
    }
  }

  /** `chatd cluster VERB …` that must succeed; its stdout. */
  async cluster(verb: string, ...args: string[]): Promise<string> {
    return must(`chatd cluster ${verb} ${args.join(' ')}`, await this.tryCluster(verb, ...args))
  }

  tryCluster(verb: string, ...args: string[]): Promise<Run> {
    return run('chatd', ['cluster', verb, ...args, '--dir', join(this.dir, 'cluster')])
  }

  async nodes(): Promise<NodeState[]> {
    return JSON.parse(await this.cluster('ps', '--json')) as NodeState[] // interface.md
  }

  nodeDirectory(name: string): string {
    return join(this.dir, 'cluster', 'nodes', name)
  }

  /** `chat --profile USER …` that must succeed; its stdout. */
  async chat(user: string, ...args: string[]): Promise<string> {
    return must(`chat ${args.join(' ')}`, await this.tryChat(user, ...args))
  }

  tryChat(user: string, ...args: string[]): Promise<Run> {
    return run('chat', this.#profile(user, args))
  }

  async register(...users: string[]): Promise<void> {
    for (const user of users) await this.chat(user, 'register', user, '--gateway', this.gateways.join(','))
  }

  async send(from: string, to: string, text: string, ...flags: string[]): Promise<Sent> {
    return JSON.parse(await this.chat(from, 'send', to, text, '--json', ...flags)) as Sent // interface.md
  }

  /** `chat listen --json --mark-read` until the world ends. */
  listen(user: string, ...flags: string[]): Running {
    const running = new Running('chat', this.#profile(user, ['listen', '--json', '--mark-read', ...flags]))
    this.#running.push(running)
    return running
  }

  get profiles(): string {
    return join(this.dir, 'profiles')
  }

  ledger(user: string): string {
    return join(this.profiles, user, 'stored.ledger')
  }

  ledgerIds(user: string): string[] {
    return readFileSync(this.ledger(user), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
  }

  /** Exit 0 only if everything is there that these users were told is stored. */
  check(...users: string[]): Promise<Run> {
    const ledgers = users.map((user) => this.ledger(user))
    return this.tryCluster(
      'check',
      '--timeout',
      '80s',
      '--json',
      ...(ledgers.length > 0 ? ['--ledger', ...ledgers] : []),
    )
  }

  async end(): Promise<void> {
    await Promise.all(this.#running.map((running) => running.end('SIGKILL')))
    await this.tryCluster('down')
    rmSync(this.dir, { recursive: true, force: true })
  }

  #profile(user: string, args: string[]): string[] {
    return ['--home', this.profiles, '--profile', user, ...args]
  }
}
