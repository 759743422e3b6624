// Real chatd processes for tests: starts the built program, waits for its ready line, and leaves none behind.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ReadyNode } from '../src/node/node.ts'

const program = join(import.meta.dirname, '../bin/chatd.js')
const READY_MS = 90_000
/** No command takes so long; one that serves where it had to end is a failed test, not a hung one. */
const COMMAND_MS = 120_000

export interface Finished {
  code: number | null
  stdout: string
  stderr: string
}

/** Children inherit nothing of the surrounding configuration. */
const environment = (): NodeJS.ProcessEnv => {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('CHAT'))
  return Object.fromEntries(inherited)
}

const children = new Set<ChildProcess>()
const directories: string[] = []

export const newDirectory = (): string => {
  const directory = mkdtempSync(join(tmpdir(), 'chatd-test-'))
  directories.push(directory)
  return directory
}

const run = (args: string[]) => {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env: environment() })
  children.add(child)
  const output = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text))
  const ended = new Promise<Finished>((resolve) => {
    child.once('close', (code) => {
      children.delete(child)
      resolve({ code, ...output })
    })
  })
  return { child, output, ended }
}

/** Runs a command to its end. Rejects when it does not end by itself, with what it wrote. */
export const chatd = async (...args: string[]): Promise<Finished> => {
  const { child, output, ended } = run(args)
  let isLate = false
  const deadline = setTimeout(() => {
    isLate = true
    child.kill('SIGKILL')
  }, COMMAND_MS)
  const finished = await ended
  clearTimeout(deadline)
  if (isLate)
    throw new Error(`chatd ${args.join(' ')} did not end within ${COMMAND_MS} ms: ${output.stdout}${output.stderr}`)
  return finished
}

/** The result of a command that must succeed with --json. */
export const chatdJson = async <Result>(...args: string[]): Promise<Result> => {
  const { code, stdout, stderr } = await chatd(...args, '--json')
  if (code !== 0) throw new Error(`chatd ${args.join(' ')} ended with ${code}: ${stderr}`)
  return JSON.parse(stdout) as Result // the caller knows the command
}

export interface NodeProcess {
  ready: ReadyNode
  data: string
  /** What it wrote until now. */
  output: { stdout: string; stderr: string }
  signal(signal: NodeJS.Signals): void
  ended: Promise<Finished>
  /** SIGTERM, and its end. */
  stop(): Promise<Finished>
}

/** Resolves when the node serves; rejects with its errors when it ends before. */
export const startNode = async (data: string, ...args: string[]): Promise<NodeProcess> => {
  const { child, output, ended } = run(['start', '--data', data, '--json', '--admin', '127.0.0.1:0', ...args])
  const ready = await new Promise<ReadyNode>((resolve, reject) => {
    const deadline = setTimeout(() => reject(new Error(`not ready in time: ${output.stderr}`)), READY_MS)
    const look = (): void => {
      const line = output.stdout.split('\n').find((each) => each.includes('"event":"ready"'))
      if (line === undefined || !output.stdout.includes(`${line}\n`)) return
      clearTimeout(deadline)
      resolve(JSON.parse(line) as ReadyNode) // the ready line
    }
    child.stdout.on('data', look)
    void ended.then(({ code, stderr }) => {
      clearTimeout(deadline)
      reject(new Error(`ended with ${code} before it was ready: ${stderr}`))
    })
  })
  const signal = (name: NodeJS.Signals): void => void child.kill(name)
  const stop = (): Promise<Finished> => {
    signal('SIGTERM')
    return ended
  }
  return { ready, data, output, signal, ended, stop }
}

/** For after hooks: ends what still runs and removes the directories. */
export const cleanUp = async (): Promise<void> => {
  const ends = [...children].map((child) => new Promise((resolve) => child.once('close', resolve)))
  for (const child of children) child.kill('SIGKILL')
  await Promise.all(ends)
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true })
}
