// One node with every role, and profiles in a directory of their own: what tests of the chat command need.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from '../eventually.ts'
import { type Run, Running, run } from './world.ts'

/** What a command says (src/cli/chat/with-chat.ts) when it shows what the device has, and not what the cluster has. */
const NOT_CAUGHT_UP = 'this is what this device has'
/** Those that only look may be asked again. */
const LOOKING = new Set(['history', 'inbox', 'search', 'status'])
const MAX_TRIES = 4

export class ChatNode {
  readonly directory = mkdtempSync(join(tmpdir(), 'chat-test-'))
  readonly home = join(this.directory, 'home')
  #node: Running | undefined
  #gateway = ''
  readonly #running = new Set<Running>()

  get gateway(): string {
    return this.#gateway
  }

  async start(): Promise<void> {
    const address = this.#gateway === '' ? '127.0.0.1:0' : this.#gateway.slice('ws://'.length)
    const args = ['start', '--role', 'all', '--data', join(this.directory, 'node'), '--ws', address]
    const node = new Running('chatd', [...args, '--admin', '127.0.0.1:0', '--open-registration', '--json'])
    this.#node = node
    const ready = await eventually(() => node.lines.find(({ event }) => event === 'ready'))
    this.#gateway = String(ready?.ws)
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    await this.#node?.end(signal)
  }

  chat(profile: string, args: string[], input?: string): Promise<Run> {
    return run('chat', ['--home', this.home, '--profile', profile, ...args], input)
  }

  /** The JSON that a command prints; fails with its stderr when the command does. */
  async json<T>(profile: string, args: string[], input?: string): Promise<T> {
    for (let tries = 1; ; tries++) {
      const { code, stdout, stderr } = await this.chat(profile, [...args, '--json'], input)
      if (code !== 0) throw new Error(`chat ${args.join(' ')} exited ${code}: ${stderr}`)
      // On a busy machine a command may say that it did not hear the newest in time: what it shows then is no answer yet.
      const isNews = !stderr.includes(NOT_CAUGHT_UP) || !LOOKING.has(args[0] ?? '')
      if (isNews || tries === MAX_TRIES) return JSON.parse(stdout) as T
    }
  }

  async register(...names: string[]): Promise<void> {
    for (const name of names) await this.json(name, ['register', name, '--gateway', this.#gateway])
  }

  listen(profile: string, ...args: string[]): Running {
    const running = new Running('chat', ['--home', this.home, '--profile', profile, 'listen', '--json', ...args])
    this.#running.add(running)
    return running
  }

  linking(profile: string): Running {
    const args = ['--home', this.home, '--profile', profile, 'link', '--gateway', this.#gateway, '--json']
    const running = new Running('chat', args)
    this.#running.add(running)
    return running
  }

  async close(): Promise<void> {
    for (const running of this.#running) await running.end('SIGKILL')
    await this.stop()
    rmSync(this.directory, { recursive: true, force: true })
  }
}

export const textsOf = ({ lines }: Running): unknown[] =>
  lines.filter(({ type }) => type === 'message').map(({ text }) => text)
