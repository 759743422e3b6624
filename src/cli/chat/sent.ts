// What the verbs that send have in common: how long they wait, what they print, and how far files are meanwhile.
import { Option } from '@commander-js/extra-typings'
import type { SendOptions, SendResult } from '../../client/api.ts'
import { asChatError, ChatError } from '../../protocol/errors.ts'
import { parseDuration } from '../duration.ts'
import { safeText } from '../../client/safe-text.ts'
import { watchUploads } from './progress.ts'
import type { Opened } from './with-chat.ts'

export interface WaitFlags {
  wait: 'stored' | 'received' | 'read'
  timeout?: number
}

export const waitOption = () =>
  new Option('--wait <state>', 'wait until every recipient reached this state')
    .choices(['stored', 'received', 'read'] as const)
    .default('stored' as const)
export const timeoutOption = () =>
  new Option('--timeout <duration>', 'how long to wait (30s; with files: 30s without progress)').argParser(
    parseDuration,
  )

export const waitOptions = ({ wait, timeout }: WaitFlags): Pick<SendOptions, 'wait' | 'timeoutMs'> => ({
  wait,
  ...(timeout === undefined ? {} : { timeoutMs: timeout }),
})

/** Prints how far the message got, also when that is not far enough. */
export const printSent = async ({ chat, output }: Opened, send: () => Promise<SendResult>): Promise<void> => {
  const stopProgress = watchUploads(chat)
  try {
    const result = await send()
    stopProgress()
    output.result(result, `${result.status} ${result.id}`)
  } catch (error) {
    stopProgress()
    const given = error instanceof ChatError ? error.details?.result : undefined
    if (given === undefined) throw error
    const result = given as SendResult // what Chat.send puts there
    // One document says both: how far the message got, and why no further.
    const known = asChatError(error)
    const { code, message, retryable, outcome } = known.toWire()
    output.result({ ...result, error: { code, message, retryable, outcome } }, `${result.status} ${result.id}`)
    const hint = code === 'TIMEOUT' && result.status !== 'queued' ? `; chat status ${result.id} says how far it is` : ''
    output.note(`chat: ${safeText(message)}${hint} [${code}]`)
    process.exitCode = known.exitCode
  }
}
