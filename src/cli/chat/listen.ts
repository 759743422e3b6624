// chat listen: streams what arrives, from where the last listen of this profile stopped. Its position moves only after a line is
// written, so that a reader that is killed misses nothing.
import { type Command, type CommandUnknownOpts, Option } from '@commander-js/extra-typings'
import type { ChatEvent } from '../../client/api.ts'
import { safeLine } from '../../client/safe-text.ts'
import { systemClock } from '../../platform/system.ts'
import { sleep } from '../../platform/timing.ts'
import { ChatError } from '../../protocol/errors.ts'
import { limits } from '../../protocol/limits.ts'
import { isUserName } from '../../protocol/names.ts'
import { parseDuration } from '../duration.ts'
import { examples } from '../output.ts'
import { authorOf, eventLine, liveLine } from './message-lines.ts'
import { chatVerb, idsOption, parseCount } from './options.ts'
import { type Opened, settle, withChat } from './with-chat.ts'

const MARK = 'listen'
/** Between two looks at the connection: a command that has just begun is connected by the first. */
const LOOK_MS = 1_000

interface ListenFlags {
  count?: number
  timeout?: number
  markRead?: true
  from?: string
  live?: true
  ids?: true
}

export const registerListen = (program: Command): void => {
  chatVerb(program, 'listen')
    .description('stream what arrives, first what was missed since the last listen')
    .addHelpText(
      'before',
      examples('chat listen', 'chat listen --json --mark-read', 'chat listen --from bob --count 1 --timeout 5m'),
    )
    .addOption(new Option('--count <n>', 'end after so many messages').argParser(parseCount))
    .addOption(new Option('--timeout <duration>', 'end with exit code 3 after so long').argParser(parseDuration))
    .option('--mark-read', 'mark what is shown as read')
    .option('--from <user>', 'only what comes from this user')
    .addOption(idsOption())
    .option('--live', 'also who is typing, and who of those you write with comes and goes')
    .action((options, command) => {
      // Nobody is named so, and it would wait for ever.
      if (options.from !== undefined && !isUserName(options.from)) throw new ChatError('AUTH_NAME_ILLEGAL')
      return run(command, options)
    })
}

const run = (command: CommandUnknownOpts, flags: ListenFlags): Promise<void> =>
  withChat(command, async (opened) => {
    const stop = new AbortController()
    let isTimeout = false
    let denial: ChatError | undefined
    process.once('SIGTERM', () => stop.abort())
    const timer = setTimeout(
      () => {
        isTimeout = true
        stop.abort()
      },
      flags.timeout ?? 2 ** 31 - 1,
    )
    void whenDenied(opened, stop.signal).then(
      (error) => {
        denial = error
        stop.abort()
      },
      () => {}, // the client was closed
    )
    try {
      const watching = flags.live ? followLive(opened, stop.signal) : undefined
      const isComplete = await follow(opened, flags, stop.signal)
      stop.abort()
      await watching
      if (denial && !isComplete) throw denial
      if (flags.markRead || isComplete) await settle(opened)
      if (isTimeout && !isComplete)
        throw new ChatError('TIMEOUT', { message: 'The messages waited for did not come in time' })
    } finally {
      clearTimeout(timer)
    }
  })

/**
 * Says when the connection is lost and when it is there again. Resolves when gateways refuse this device for good, so that nobody waits
 * for what cannot come; what is here already has been written by then.
 */
const whenDenied = async ({ chat, output }: Opened, signal: AbortSignal): Promise<ChatError | undefined> => {
  let isLost = false
  for (;;) {
    await sleep(systemClock, LOOK_MS, signal)
    if (signal.aborted) return undefined
    const { state, problem, denied } = await chat.connection()
    if (denied) return new ChatError(denied.code, { message: denied.message })
    const wasLost = isLost
    isLost = state !== 'online'
    if (isLost && !wasLost)
      output.note(`Not connected${problem ? ` (${safeLine(problem)})` : ''}; tried again by itself`)
    if (!isLost && wasLost) output.note('Connected again')
  }
}

/** Nothing of it is missed, or kept: it needs no position. */
const followLive = async ({ chat, output }: Opened, signal: AbortSignal): Promise<void> => {
  const people = (await chat.inbox()).map(({ conversation }) => conversation).filter(isUserName)
  for await (const event of chat.live({ watch: people.slice(0, limits.maxWatched), signal })) {
    output.event(event, () => liveLine(event))
  }
}

/** True when the count was reached; false when the signal came first. */
const follow = async ({ chat, output }: Opened, flags: ListenFlags, signal: AbortSignal): Promise<boolean> => {
  let left = flags.count ?? Number.POSITIVE_INFINITY
  const after = await chat.mark(MARK)
  for await (const event of chat.events({ after, signal })) {
    if (isWanted(event, flags.from)) {
      const { position: _position, ...shown } = event
      output.event(shown, () => `${flags.ids && event.type === 'message' ? `${event.id} ` : ''}${eventLine(event)}`)
      await written()
      if (event.type === 'message') {
        left -= 1
        if (flags.markRead && event.from !== chat.user) await chat.markRead(event.conversation, { upTo: event.id })
      }
    }
    await chat.setMark(MARK, event.position)
    if (left <= 0) return true
  }
  return false
}

const isWanted = (event: ChatEvent, from: string | undefined): boolean => from === undefined || authorOf(event) === from

/** Resolves when stdout has taken everything. */
const written = (): Promise<void> => new Promise((resolve) => process.stdout.write('', () => resolve()))
