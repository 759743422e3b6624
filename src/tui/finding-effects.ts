// Reading on, and finding: pages of a conversation, a message, a time, words, mentions.
import type { HistoryMessage } from '../client/api.ts'
import { safeLine, safeTemplate as safe } from '../client/safe-text.ts'
import type { EffectTools, Runners } from './effect-tools.ts'
import { span } from './lines.ts'
import { isMention } from './mentions.ts'
import type { ListRow } from './state.ts'
import { shortTime } from './times.ts'

const MAX_RESULTS = 100
/** Among these the ones with the name in them are sought. */
const MAX_SEARCHED = 1_000

/** What was said last is what one mostly looks for: it comes first. */
const resultRows = (found: readonly HistoryMessage[], nowMs: number): ListRow[] =>
  found
    .slice(-MAX_RESULTS)
    .reverse()
    .map((message) => resultRow(message, nowMs))

/** More are not sought: there may be more. */
const countOf = ({ length }: readonly ListRow[]): string =>
  length < MAX_RESULTS ? `${length}` : `the newest ${length}`

const resultRow = (message: HistoryMessage, nowMs: number): ListRow => ({
  line: [
    span(safe`${shortTime(Date.parse(message.at), nowMs)} `, 'dim'),
    span(safeLine(message.from), 'name'),
    span(safe` in ${safeLine(message.conversation)}: `, 'dim'),
    span(safeLine(message.text, { maxLength: 200 })),
  ],
  opens: { conversation: message.conversation, id: message.id },
})

export const findingRunners = ({
  chat,
  clock,
  loading,
  say,
  list,
}: EffectTools): Runners<'loadOlder' | 'loadNewer' | 'loadEnd' | 'jump' | 'jumpToTime' | 'search' | 'mentions'> => ({
  loadOlder: () => loading.loadMore('older'),
  loadNewer: () => loading.loadMore('newer'),
  loadEnd: () => loading.loadEnd(),
  jump: async ({ conversation, id, words }) => {
    if (!(await loading.loadTo(conversation, id, words))) say(safe`That message is not on this device any more.`)
  },
  jumpToTime: async ({ conversation, atMs }) => {
    if (!(await loading.loadSince(conversation, atMs))) say(safe`Nothing was said there since then.`)
  },
  search: async ({ words }) => {
    const found = await chat.search(words, { limit: MAX_RESULTS })
    const rows = resultRows(found, clock.now())
    list(`${rows.length === 1 ? '1 message' : `${countOf(rows)} messages`} with “${words}”`, rows)
  },
  mentions: async () => {
    // The index of the library holds words; which of them are names is seen here.
    const found = await chat.search(chat.user, { limit: MAX_SEARCHED })
    const naming = found.filter(({ from, text }) => from !== chat.user && isMention(text, chat.user))
    const rows = resultRows(naming, clock.now())
    list(`Messages that name you: ${countOf(rows)}`, rows)
  },
})
