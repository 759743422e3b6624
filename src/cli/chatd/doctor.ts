// chatd doctor: checks this machine for what makes nodes and clients fail, each finding with its remedy. A table of checks.
import { rmSync, statfsSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname } from 'node:path'
import type { Command } from '@commander-js/extra-typings'
import { createOutput, examples } from '../output.ts'
import { formatTable } from '../table.ts'
import { dataDirectory, dataOption, jsonOption, nameOption } from './node-options.ts'
import { makeDirectory } from '../../platform/make-directory.ts'

interface Finding {
  ok: boolean
  found: string
  remedy: string
}
type Check = (data: string) => Finding | Promise<Finding>

const MIN_NODE = [22, 12] as const
const MIN_FREE_BYTES = 256 * 1024 * 1024
const MIN_YEAR = 2026
const MIN_COLUMNS = 60

const nodeVersion: Check = () => {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const ok = major > MIN_NODE[0] || (major === MIN_NODE[0] && minor >= MIN_NODE[1])
  return {
    ok,
    found: process.versions.node,
    remedy: `install Node ${MIN_NODE.join('.')} or newer from https://nodejs.org`,
  }
}

const canListen = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })

/** In use is no fault: a running node may have it, and `chatd start` takes the next free one. */
const clientPort: Check = async () => {
  const isFree = await canListen(7400)
  return {
    ok: true,
    found: isFree
      ? '127.0.0.1:7400 is free'
      : '127.0.0.1:7400 is in use, by a running node perhaps; the next free one is taken',
    remedy: '',
  }
}

/** Only what cannot be right is found without asking others: a clock before this program was made. */
const clock: Check = () => {
  const now = new Date()
  return {
    ok: now.getUTCFullYear() >= MIN_YEAR,
    found: now.toISOString(),
    remedy: 'set the clock, best by NTP: messages more than 30 minutes ahead are refused',
  }
}

const disk: Check = (data) => {
  const remedy = `free space, or choose another directory with --data`
  try {
    makeDirectory(dirname(data))
    const probe = `${data}.doctor-${process.pid}`
    writeFileSync(probe, 'x')
    rmSync(probe)
    const { bavail, bsize } = statfsSync(dirname(data))
    const mib = Math.floor((bavail * bsize) / 1024 / 1024)
    return { ok: bavail * bsize >= MIN_FREE_BYTES, found: `${mib} MiB free beside ${data}`, remedy }
  } catch (error) {
    return { ok: false, found: error instanceof Error ? error.message : String(error), remedy }
  }
}

const terminal: Check = () => {
  const { isTTY, columns } = process.stdout
  if (!isTTY) return { ok: true, found: 'no terminal here: chat tui needs one, everything else does not', remedy: '' }
  const isUtf8 = /utf-?8/i.test(process.env.LC_ALL || process.env.LC_CTYPE || process.env.LANG || '')
  const ok = isUtf8 && columns >= MIN_COLUMNS && process.env.TERM !== 'dumb'
  return {
    ok,
    found: `${process.env.TERM ?? 'TERM is not set'}, ${columns} columns, ${isUtf8 ? 'UTF-8' : 'not UTF-8'}`,
    remedy: `use a terminal of ${MIN_COLUMNS} columns or more with a UTF-8 locale (LANG=C.UTF-8)`,
  }
}

const CHECKS: Record<string, Check> = { node: nodeVersion, port: clientPort, clock, disk, terminal }

export const registerDoctor = (program: Command): void => {
  program
    .command('doctor')
    .description('check this machine: Node version, ports, clock, disk, terminal')
    .addHelpText('before', examples('chatd doctor', 'chatd doctor --data /srv/chat --json'))
    .addOption(dataOption())
    .addOption(nameOption())
    .addOption(jsonOption())
    .action(async (options) => {
      const data = dataDirectory(options)
      const rows: ({ check: string } & Finding)[] = []
      for (const [check, run] of Object.entries(CHECKS)) rows.push({ check, ...(await run(data)) })
      const shown = rows.map(({ remedy, ...row }) => (row.ok ? row : { ...row, remedy }))
      createOutput(options).result(shown, () =>
        formatTable(
          [
            { head: '', cell: (row) => (row.ok ? 'ok' : '!!') },
            { head: 'CHECK', cell: (row) => row.check },
            { head: 'FOUND', cell: (row) => row.found },
            { head: 'REMEDY', cell: (row) => (row.ok ? '' : row.remedy) },
          ],
          rows,
        ),
      )
      if (rows.some((row) => !row.ok)) process.exitCode = 1
    })
}
