// chat send: the message is in the outbox on disk before anything else; the exit code says whether the state waited for was reached.
import { type Command, type CommandUnknownOpts, Option } from '@commander-js/extra-typings'
import type { SendOptions, SendResult } from '../../client/api.ts'
import { ChatError, hasCode } from '../../protocol/errors.ts'
import { examples } from '../output.ts'
import { chatVerb, parseDuration, usage } from './options.ts'
import { readStdin } from './stdin.ts'
import { catchUp, type Opened, withChat } from './with-chat.ts'

const DEFAULT_TIMEOUT_MS = 30_000
interface SendFlags {
  file?: string[]
  reply?: string
  wait: 'stored' | 'received' | 'read'
  timeout: number
  flush?: true
}

export const registerSend = (program: Command): void => {
  chatVerb(program, 'send [to] [text...]')
    .description('send a message to a user or a group; `-` reads it from stdin')
    .addHelpText(
      'before',
      examples(
        'chat send bob Hello Bob',
        'chat send bob "the build is green" --wait read --timeout 5m',
        'make 2>&1 | tail -20 | chat send bob -',
        "chat send '#ops' The build is green",
        'chat send --flush                   # send what is still in the outbox',
      ),
    )
    .option('--file <path...>', 'attach files')
    .option('--reply <id>', 'the message this one answers')
    .addOption(
      new Option('--wait <state>', 'wait until every recipient reached this state')
        .choices(['stored', 'received', 'read'] as const)
        .default('stored' as const),
    )
    .addOption(
      new Option('--timeout <duration>', 'how long to wait')
        .argParser(parseDuration)
        .default(DEFAULT_TIMEOUT_MS, '30s'),
    )
    .option('--flush', 'send what is in the outbox, and wait until it is stored')
    .action((to, words, options, command) => run(command, { to, words, flags: options }))
}

const run = async (
  command: CommandUnknownOpts,
  { to, words, flags }: { to: string | undefined; words: string[]; flags: SendFlags },
): Promise<void> => {
  if (to === undefined && !flags.flush) throw usage("To whom? chat send TO TEXT… (a group in quotes: '#ops')")
  if (to !== undefined && words.length === 0) throw usage('What? chat send TO TEXT…, or - to read it from stdin')
  if (flags.file) throw usage('Attachments are not supported by this version yet; send the text without --file')
  const text = words.length === 1 && words[0] === '-' ? await readStdin() : words.join(' ')
  await withChat(command, async (opened) => {
    if (to !== undefined) await send(opened, { to, text, flags })
    if (flags.flush) await flush(opened, flags.timeout)
  })
}

const send = async (
  { chat, output }: Opened,
  { to, text, flags }: { to: string; text: string; flags: SendFlags },
): Promise<void> => {
  const options: SendOptions = {
    wait: flags.wait,
    timeoutMs: flags.timeout,
    ...(flags.reply === undefined ? {} : { reply: flags.reply }),
  }
  if (flags.reply !== undefined) await mustKnow({ chat, output }, flags.reply)
  try {
    const result = await chat.send(to, text, options)
    output.result(result, `${result.status} ${result.id}`)
  } catch (error) {
    const result = error instanceof ChatError ? error.details?.result : undefined
    if (!(error instanceof ChatError) || !output.isJson || result === undefined) throw error
    // One document says both: how far the message got, and why no further.
    const { code, message, retryable, outcome } = error.toWire()
    output.result({ ...(result as SendResult), error: { code, message, retryable, outcome } }, '') // what Chat.send puts there
    output.note(`chat: ${message} [${code}]`)
    process.exitCode = error.exitCode
  }
}

/** MESSAGE_UNKNOWN unless this device has the message, or gets it now. */
const mustKnow = async (opened: Opened, id: string): Promise<void> => {
  try {
    await opened.chat.status(id)
  } catch (error) {
    if (!hasCode(error, 'MESSAGE_UNKNOWN')) throw error
    await catchUp(opened)
    await opened.chat.status(id)
  }
}

const flush = async ({ chat, output }: Opened, timeoutMs: number): Promise<void> => {
  try {
    await chat.settled({ timeoutMs })
  } catch (error) {
    if (!hasCode(error, 'TIMEOUT')) throw error
    const { queued, problem } = await chat.connection()
    throw new ChatError('TIMEOUT', {
      message: `${queued} still in the outbox${problem ? `: ${problem}` : ''}`,
      details: { queued },
    })
  }
  output.result({ queued: 0 }, 'nothing waits')
}
