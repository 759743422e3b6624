// chat send: the message is in the outbox on disk before anything else; the exit code says whether the state waited for was reached.
import { type Command, type CommandUnknownOpts, Option } from '@commander-js/extra-typings'
import type { Refusal, SendOptions } from '../../client/api.ts'
import { asChatError, ChatError, hasCode } from '../../protocol/errors.ts'
import { safeText } from '../../client/safe-text.ts'
import { examples } from '../output.ts'
import { chatVerb, usage } from './options.ts'
import { printSent, timeoutOption, type WaitFlags, waitOption, waitOptions } from './sent.ts'
import { readStdin } from './stdin.ts'
import { mustKnow, type Opened, withChat } from './with-chat.ts'

const FLUSH_TIMEOUT_MS = 30_000
interface SendFlags extends WaitFlags {
  file?: string[]
  reply?: string
  flush?: true
}

/** An option that may be given again. */
const another = (value: string, before: string[] | undefined): string[] => [...(before ?? []), value]

export const registerSend = (program: Command): void => {
  chatVerb(program, 'send [to] [text...]')
    .description('send a message to a user or a group; `-` reads it from stdin')
    .addHelpText(
      'before',
      examples(
        'chat send bob Hello Bob',
        'chat send bob "the build is green" --wait read --timeout 5m',
        'chat send bob --file report.pdf --file photo.jpg',
        'make 2>&1 | tail -20 | chat send bob -',
        "chat send '#ops' The build is green",
        'chat send --flush                   # send what is still in the outbox',
      ),
    )
    .addOption(new Option('--file <path>', 'attach a file; again for more').argParser(another))
    .option('--reply <id>', 'the message this one answers')
    .addOption(waitOption())
    .addOption(timeoutOption())
    .option('--flush', 'send what is in the outbox, and wait until it is stored')
    .action((to, words, options, command) => run(command, { to, words, flags: options }))
}

const run = async (
  command: CommandUnknownOpts,
  { to, words, flags }: { to: string | undefined; words: string[]; flags: SendFlags },
): Promise<void> => {
  if (to === undefined && !flags.flush) throw usage("To whom? chat send TO TEXT… (a group in quotes: '#ops')")
  if (to !== undefined && words.length === 0 && !flags.file)
    throw usage('What? chat send TO TEXT…, or - to read it from stdin')
  const text = words.length === 1 && words[0] === '-' ? await readStdin() : words.join(' ')
  if (to !== undefined && text === '' && !flags.file) throw new ChatError('MESSAGE_EMPTY')
  await withChat(command, async (opened) => {
    if (to !== undefined) await send(opened, { to, text, flags })
    if (flags.flush) await flush(opened, flags.timeout ?? FLUSH_TIMEOUT_MS)
  })
}

const send = async (
  opened: Opened,
  { to, text, flags }: { to: string; text: string; flags: SendFlags },
): Promise<void> => {
  const { reply, file } = flags
  const options: SendOptions = {
    ...waitOptions(flags),
    ...(reply === undefined ? {} : { reply }),
    ...(file === undefined ? {} : { files: file }),
  }
  if (reply !== undefined) await mustKnow(opened, reply)
  await printSent(opened, () => opened.chat.send(to, text, options))
}

const flush = async (opened: Opened, timeoutMs: number): Promise<void> => {
  const { chat, output } = opened
  try {
    const { refused } = await chat.settled({ timeoutMs })
    if (refused.length > 0) return printRefused(opened, refused)
  } catch (error) {
    if (!hasCode(error, 'TIMEOUT')) throw error
    const { details } = asChatError(error)
    noteRefused(opened, (details?.refused ?? []) as Refusal[]) // what Chat.settled puts there
    const { queued, problem } = await chat.connection()
    const reason = problem ?? details?.reason
    throw new ChatError('TIMEOUT', {
      message: `${queued} still in the outbox${typeof reason === 'string' ? ` (${reason})` : ''}; it is sent again by the next command`,
      details: { queued },
    })
  }
  output.result({ queued: 0 }, 'everything is sent')
}

/** Nobody waited for these any more: whoever sends what is left has to hear that some of it never goes. */
const printRefused = (opened: Opened, refused: Refusal[]): void => {
  const [first] = refused
  const lines = refused.map(({ id }) => `refused ${id}`).join('\n')
  opened.output.result({ queued: 0, refused, error: first?.error }, lines)
  noteRefused(opened, refused)
  if (first) process.exitCode = ChatError.fromWire(first.error).exitCode
}

const noteRefused = ({ output }: Opened, refused: Refusal[]): void => {
  for (const { id, conversation, error } of refused)
    output.note(`chat: ${id} to ${conversation} was refused: ${safeText(error.message)} [${error.code}]`)
}
