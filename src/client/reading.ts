// What counts as read: exactly the messages that were shown, never "everything before". So a message that arrives late is unread,
// wherever the order puts it.
import { compareOrder, type MessageHeader } from '../protocol/records.ts'
import type { ChatState } from './chat-state.ts'
import type { Conversation, DeviceCoverage } from './conversations.ts'
import { addRange, countOf, includes, without } from './sequence-ranges.ts'

const PAGE = 200

/** How many messages of a device are held and not read; or whether one is (1 or 0). */
export const unreadOf = (coverage: DeviceCoverage, seq?: number): number =>
  seq === undefined ? countOf(without(coverage.held, coverage.read)) : includes(coverage.read, seq) ? 0 : 1

/** How many of them that are not read mention this user. */
export const mentionsOf = ({ mentions = [], read }: DeviceCoverage): number => countOf(without(mentions, read))

/** Marks all shown messages of others up to one (or all) as read, on disk, and lets it be told; how many were not before. */
export const markShown = async (
  state: ChatState,
  id: string,
  options: { me: string; upTo?: MessageHeader },
): Promise<number> => {
  const conversation = state.conversations.get(id)
  const marked = conversation ? await markPages(state, conversation, options) : 0
  if (!conversation || marked === 0) return 0
  state.conversations.touch(conversation)
  await state.store.commit({ sync: true })
  state.receipts.kick(id)
  return marked
}

const markPages = async (
  state: ChatState,
  conversation: Conversation,
  { me, upTo }: { me: string; upTo?: MessageHeader },
): Promise<number> => {
  let left = 0
  for (const coverage of conversation.devices.values()) left += coverage.user === me ? 0 : unreadOf(coverage)
  let marked = 0
  let before: MessageHeader | undefined
  while (left > 0) {
    const page = await state.pages.messages(conversation.id, PAGE, before)
    for (const { header } of page.reverse()) {
      const coverage = conversation.devices.get(header.dev)
      if (header.from === me || !coverage || includes(coverage.read, header.seq)) continue
      left -= 1
      if (upTo && compareOrder(header, upTo) > 0) continue
      addRange(coverage.read, header.seq, header.seq)
      marked += 1
    }
    before = page.at(-1)?.header
    if (page.length < PAGE) break
  }
  return marked
}
