// npm start: a small cluster on this machine and a client in it, or without a terminal a short conversation through it.
// The cluster ends with the client; its data stay in ./.chatd.
import { userInfo } from 'node:os'
import { resolve } from 'node:path'
import { Command } from '@commander-js/extra-typings'
import { isTerminal, terminalProblem } from '../platform/terminal-problem.ts'
import { ChatError } from '../protocol/errors.ts'
import { isUserName } from '../protocol/names.ts'
import { EXIT_INTERRUPTED, examples, runProgram } from './output.ts'
import { playConversation } from './start-conversation.ts'
import { openSession } from './start-session.ts'
import { closeCluster, openLocalCluster } from './start-cluster.ts'

const DIRECTORY = '.chatd'

/** The system's user name as a chat name: lower case, only what is legal, `me` when nothing is left. */
export const ownName = (systemName: string): string => {
  const legal = systemName
    .toLowerCase()
    .replace(/[^a-z0-9._-]/g, '')
    .replace(/^[^a-z]+/, '')
    .slice(0, 32)
  return legal === '' ? 'me' : legal
}

/** A signal ends the cluster, then this program; until it is released to somebody who does so too. */
const endOnSignal = (close: () => Promise<void>): { release: () => void } => {
  const end = (): void => void close().finally(() => process.exit(EXIT_INTERRUPTED))
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const signal of signals) process.once(signal, end)
  return {
    release: () => {
      for (const signal of signals) process.off(signal, end)
    },
  }
}

const program = new Command('npm start')
  .usage('-- [options]')
  .description('a small cluster on this machine and a client in it; the cluster ends with the client, its data stay')
  .option('--fresh', 'delete the data and begin anew')
  .option('--name <name>', 'who you are (default: your name on this system)')
  .option('--dir <dir>', 'where the data are', DIRECTORY)
  .addHelpText('before', examples('npm start', 'npm start -- --fresh', 'npm start -- --name carol'))
  .action(async (options) => {
    const name = options.name ?? ownName(userInfo().username)
    if (!isUserName(name)) throw new ChatError('AUTH_NAME_ILLEGAL')
    const dir = resolve(options.dir)
    const guard = endOnSignal(() => closeCluster(dir))
    const cluster = await openLocalCluster({
      dir,
      fresh: options.fresh === true,
      progress: (text) => process.stderr.write(`${text}\n`),
    })
    try {
      const problem = terminalProblem(process, process.env)
      if (problem !== undefined && isTerminal(process))
        process.stderr.write(`${problem}; a short conversation instead:\n`)
      if (problem === undefined) await openSession({ ...cluster, name, guard })
      else await playConversation(cluster)
    } finally {
      process.stderr.write('ending the cluster\n')
      await closeCluster(dir)
    }
  })

await runProgram(program)
