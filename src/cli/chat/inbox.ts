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
const columns = [
  { head: 'with', cell: (row: InboxEntry) => safeLine(row.conversation) },
  { head: 'unread', cell: (row: InboxEntry) => `${row.unread}${row.mentions > 0 ? ` (@${row.mentions})` : ''}` },
  { head: 'at', cell: (row: InboxEntry) => (row.last ? localTime(row.last.at) : '') },
  { head: 'last', cell: (row: InboxEntry) => safeLine(row.last?.text ?? '', { maxLength: PREVIEW }) },
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
