// chat edit, chat delete, chat react: what is said about a message that was sent. The exit code says whether the cluster has stored it.
import { type CommandUnknownOpts, type Command, Option } from '@commander-js/extra-typings'
import type { Chat, ReactionResult, ReferenceOptions, ReferenceResult } from '../../client/api.ts'
import { parseDuration } from '../duration.ts'
import { examples } from '../output.ts'
import { chatVerb, usage } from './options.ts'
import { readStdin } from './stdin.ts'
import { withChat, withNews } from './with-chat.ts'

const DEFAULT_TIMEOUT_MS = 30_000
const timeoutOption = () =>
  new Option('--timeout <duration>', 'how long to wait').argParser(parseDuration).default(DEFAULT_TIMEOUT_MS, '30s')

export const registerEdit = (program: Command): void => {
  chatVerb(program, 'edit <id> <text...>')
    .description('replace the text of a message of yours; `-` reads it from stdin')
    .addHelpText('before', examples('chat edit 0191… "the build is red"'))
    .addOption(timeoutOption())
    .action(async (id, words, { timeout }, command) => {
      const text = words.length === 1 && words[0] === '-' ? await readStdin() : words.join(' ')
      await refer(
        command,
        () => 'edited',
        (chat) => chat.edit(id, text, { timeoutMs: timeout }),
      )
    })

  chatVerb(program, 'delete <id>')
    .description('delete a message: yours for everybody, another’s for you')
    .addHelpText('before', examples('chat delete 0191…'))
    .addOption(timeoutOption())
    .action((id, { timeout }, command) =>
      refer(
        command,
        () => 'deleted',
        (chat) => chat.delete(id, { timeoutMs: timeout }),
      ),
    )

  chatVerb(program, 'react <id> <emoji>')
    .description('react to a message with one emoji, or take it back')
    .addHelpText('before', examples('chat react 0191… 👍', 'chat react 0191… :tada:', 'chat react 0191… 👍 --off'))
    .option('--on', 'only add it')
    .option('--off', 'only take it back')
    .addOption(timeoutOption())
    .action((id, emoji, { on, off, timeout }, command) => {
      if (on && off) throw usage('Either --on or --off')
      const options: ReferenceOptions & { active?: boolean } = { timeoutMs: timeout }
      if (on || off) options.active = on === true
      const done = (result: ReactionResult): string => (result.active ? 'reacted to' : 'took the reaction back from')
      return refer(command, done, (chat) => chat.react(id, emoji, options))
    })
}

const refer = <Result extends ReferenceResult>(
  command: CommandUnknownOpts,
  done: (result: Result) => string,
  act: (chat: Chat) => Promise<Result>,
): Promise<void> =>
  withChat(command, async (opened) => {
    const result = await withNews(opened, act)
    opened.output.result(result, `${done(result)} ${result.id}`)
  })
