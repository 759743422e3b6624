// chat inbox: the conversations, the one with the newest message first.
import type { Command } from '@commander-js/extra-typings'
import type { InboxEntry } from '../../client/api.ts'
import { safeLine } from '../../client/safe-text.ts'
import { examples } from '../output.ts'
import { formatTable } from '../table.ts'
import { localTime } from './message-lines.ts'
import { chatVerb } from './options.ts'
import { catchUp, withChat } from './with-chat.ts'

const PREVIEW = 60
const preview = ({ last }: InboxEntry): string =>
  last?.deleted ? '(deleted)' : safeLine(last?.text ?? '', { maxLength: PREVIEW })
const unread = ({ unread: count, mentions, marked }: InboxEntry): string => {
  if (mentions > 0) return `${count} (@${mentions})`
  return marked && count === 0 ? 'marked' : String(count)
}
const columns = [
  { head: 'with', cell: (row: InboxEntry) => safeLine(row.conversation) },
  { head: 'unread', cell: (row: InboxEntry) => unread(row) },
  { head: 'at', cell: (row: InboxEntry) => (row.last ? localTime(row.last.at) : '') },
  { head: 'last', cell: (row: InboxEntry) => preview(row) },
]

export const registerInbox = (program: Command): void => {
  chatVerb(program, 'inbox')
    .description('the conversations, with what is unread')
    .addHelpText('before', examples('chat inbox', 'chat inbox --json'))
    .action((_options, command) =>
      withChat(command, async (opened) => {
        await catchUp(opened)
        const entries = await opened.chat.inbox()
        opened.output.result(entries, () => (entries.length > 0 ? formatTable(columns, entries) : ''))
      }),
    )
}
