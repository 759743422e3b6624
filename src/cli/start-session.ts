// `npm start` in a terminal: an echo bot to talk to, you, the line with which a second person joins, and the terminal client.
import { fileURLToPath } from 'node:url'
import { connectBeside } from '../client/beside.ts'
import { registerProfile } from '../client/index.ts'
import { Profile } from '../client/profile.ts'
import { fileLogger } from '../platform/file-logger.ts'
import { keepHeapSmall } from '../platform/small-heap.ts'
import { anyStatus } from './cluster/any-status.ts'
import { endProcess } from './cluster/process-identity.ts'
import { spawnDetached } from './cluster/program.ts'
import { waitReady } from './cluster/ready-line.ts'
import { logFile } from './cluster/state.ts'
import { joinLine, type LocalCluster } from './start-cluster.ts'

const BOT_START_MS = 60_000
const BOT_END_MS = 2_000
const BOT = 'echo'

export interface SessionOptions extends LocalCluster {
  /** Who you are, when this directory does not know it yet. */
  name: string
  /** Released when the terminal client takes signals itself. */
  guard: { release: () => void }
}

export const openSession = async (options: SessionOptions): Promise<void> => {
  const { dir, home, gateway, name, guard } = options
  keepHeapSmall()
  const settings = { home, profile: name, gateway }
  const profile = new Profile(settings)
  if (!profile.read()) await registerProfile({ ...settings, name })
  const beside = connectBeside(settings)
  const { chat } = beside
  const line = joinLine(options, chat.user)
  const output = logFile(dir, BOT)
  const bot = fileURLToPath(new URL(`./bots/echo${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url))
  const greeting = `Hello ${chat.user}! I say back what you tell me. A second person joins from another terminal, in the same directory, with:\n${line}`
  const args = [bot, '--home', home, '--gateway', gateway, '--greet', chat.user, '--greeting', greeting]
  const detached = await spawnDetached(args, output)
  try {
    await waitReady({ name: 'the echo bot', output, detached, timeoutMs: BOT_START_MS })
    process.stderr.write(
      `\nyou are ${chat.user}; ${BOT} is there to talk to. A second person joins from another terminal:\n  ${line}\n\n`,
    )
    const { runTui } = await import('../tui/main.tsx')
    guard.release()
    const { directory, logPath: path } = profile
    const log = { path, logger: fileLogger(path) }
    const notices = [`a second person joins from another terminal: ${line}`]
    await runTui({ ...beside, profile: name, notices, directory, log, cluster: { status: anyStatus(dir) } })
  } finally {
    await chat.close()
    await endProcess(detached.process, BOT_END_MS)
  }
  process.stderr.write(`data are kept; a second person joins, while npm start runs, with:\n  ${line}\n`)
}
