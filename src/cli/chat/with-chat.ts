// Runs one verb on an open profile and closes it whatever happens. Ctrl-C ends at once: what was sent is in the outbox on disk.
import type { CommandUnknownOpts } from '@commander-js/extra-typings'
import { type Chat, connect } from '../../client/index.ts'
import { asChatError, hasCode } from '../../protocol/errors.ts'
import { safeLine } from '../../client/safe-text.ts'
import { createOutput, EXIT_INTERRUPTED, type Output } from '../output.ts'
import { settingsOf } from './options.ts'

/** How long a command waits to see the newest before it shows what it has. */
const CATCH_UP_MS = 5_000
/** How long a command that is done stays for its receipts and settings to be stored. */
const SETTLE_MS = 3_000

export interface Opened {
  chat: Chat
  output: Output
}

export const withChat = async (command: CommandUnknownOpts, run: (opened: Opened) => Promise<void>): Promise<void> => {
  const settings = settingsOf(command)
  process.once('SIGINT', () => process.exit(EXIT_INTERRUPTED))
  const chat = await connect(settings)
  try {
    await run({ chat, output: createOutput(settings) })
  } finally {
    await chat.close()
  }
}

/** Reads the feed to its head: true. Offline it says so, and the command goes on with what this device has: false. */
export const catchUp = async ({ chat, output }: Opened): Promise<boolean> => {
  try {
    await chat.caughtUp({ timeoutMs: CATCH_UP_MS })
    return true
  } catch (error) {
    const { state, problem, denied } = await chat.connection()
    if (!hasCode(error, 'TIMEOUT') && !denied) throw error
    const why = state === 'online' ? 'Too few stores answer' : 'Not connected'
    output.note(`${why}${problem ? ` (${safeLine(problem)})` : ''}: this is what this device has`)
    return false
  }
}

/** Lets what this command has put into the outbox be stored; what is not by then goes with the next command. */
export const settle = async ({ chat, output }: Opened): Promise<void> => {
  try {
    await chat.settled({ timeoutMs: SETTLE_MS })
  } catch (error) {
    const { denied } = await chat.connection()
    if (!hasCode(error, 'TIMEOUT') && !denied) throw asChatError(error)
    output.note(
      denied ? `Not stored: ${denied.message}` : 'Not stored by the cluster yet; it is sent by the next command',
    )
  }
}

/** What this device does not know may only have not come yet: after it has caught up, it is tried once more. */
export const withNews = async <Result>(opened: Opened, act: (chat: Chat) => Promise<Result>): Promise<Result> => {
  try {
    return await act(opened.chat)
  } catch (error) {
    if (!hasCode(error, 'MESSAGE_UNKNOWN', 'CONVERSATION_UNKNOWN', 'GROUP_UNKNOWN')) throw error
    await catchUp(opened)
    return act(opened.chat)
  }
}

/** MESSAGE_UNKNOWN unless this device has the message, or gets it now. */
export const mustKnow = async (opened: Opened, id: string): Promise<void> => {
  await withNews(opened, (chat) => chat.status(id))
}
