// The systems under test: the ceiling, chatd in one process, and a cluster of seven. Each is made of real processes, with data in a
// temporary folder that is removed.
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ChatdTarget } from './chatd-target.ts'
import { endChild, type Server, startProgram } from './processes.ts'
import { relayTarget } from './relay-target.ts'
import type { LoadTarget } from './session.ts'

const run = promisify(execFile)
const here = import.meta.dirname
const CHATD = join(here, '..', 'bin', 'chatd.js')
const CEILING = join(here, 'ceiling.ts')

export interface System {
  name: string
  start(): Promise<{ server: Server; target: LoadTarget }>
}

const ceiling: System = {
  name: 'ceiling',
  start: async () => {
    const { child, line } = await startProgram([CEILING])
    const url = String(line.url)
    const server = { name: 'ceiling', url, pids: [child.pid ?? 0], stop: () => endChild(child) }
    return { server, target: relayTarget(url) }
  },
}

const oneProcess: System = {
  name: 'one process',
  start: async () => {
    const dir = mkdtempSync(join(tmpdir(), 'chatd-bench-'))
    const { child, line } = await startProgram([
      CHATD,
      'start',
      '--role',
      'all',
      '--data',
      join(dir, 'node'),
      '--ws',
      '127.0.0.1:0',
      '--open-registration',
      '--json',
    ])
    const url = String(line.ws)
    const stop = async (): Promise<void> => {
      await endChild(child)
      rmSync(dir, { recursive: true, force: true })
    }
    return { server: { name: 'one process', url, pids: [child.pid ?? 0], stop }, target: new ChatdTarget(url) }
  },
}

const cluster: System = {
  name: 'cluster',
  start: async () => {
    const dir = mkdtempSync(join(tmpdir(), 'chatd-bench-'))
    const args = [
      CHATD,
      'cluster',
      'up',
      '--dir',
      dir,
      '--gateways',
      '1',
      '--routers',
      '3',
      '--stores',
      '3',
      '--groups',
      '1',
      '--direct',
      '--detach',
      '--json',
    ]
    const { stdout } = await run(process.execPath, args, { timeout: 300_000 })
    const up = JSON.parse(stdout) as { gateways: string[]; nodes: { pid: number }[] } // interface.md, `chatd cluster up --json`
    const url = up.gateways[0] ?? ''
    const stop = async (): Promise<void> => {
      await run(process.execPath, [CHATD, 'cluster', 'down', '--dir', dir], { timeout: 120_000 })
      rmSync(dir, { recursive: true, force: true })
    }
    return {
      server: { name: 'cluster', url, pids: up.nodes.map((node) => node.pid), stop },
      target: new ChatdTarget(url),
    }
  },
}

export const systems: System[] = [ceiling, oneProcess, cluster]
