// The group's part of the conversation that `npm start` plays without a terminal: who is in, a message to all, and who read it when.
import type { Chat, SendOptions, SendResult } from '../client/api.ts'
import { hasCode } from '../protocol/errors.ts'

const TEAM = '#team'

export interface GroupScene {
  alice: Chat
  carol: Chat
  say: (text: string) => void
  send: (by: Chat, to: string, text: string, options: SendOptions) => Promise<SendResult>
  /** A time as it is shown. */
  clock: (at: string | null) => string
}

/** Everybody reads meanwhile. The group is kept from one play to the next. */
export const playGroup = async ({ alice, carol, say, send, clock }: GroupScene): Promise<void> => {
  await perhaps(alice.group.create(TEAM, ['bob']), 'GROUP_NAME_TAKEN')
  await perhaps(alice.group.add(TEAM, ['carol']), 'GROUP_MEMBER_KNOWN')
  const { version, members } = await carol.group.info(TEAM)
  say(`${TEAM}, version ${version}: ${members.map(({ user, role }) => `${user} (${role})`).join(', ')}`)
  const { id } = await send(alice, TEAM, 'Lunch at noon, @bob and @carol?', { wait: 'read' })
  for (const { user, receivedAt, readAt } of (await alice.status(id)).recipients) {
    say(`  ${user}: received ${clock(receivedAt)}, read ${clock(readAt)}`)
  }
  await send(carol, TEAM, 'With pleasure.', { wait: 'read' })
}

const perhaps = async (
  change: Promise<unknown>,
  harmless: 'GROUP_NAME_TAKEN' | 'GROUP_MEMBER_KNOWN',
): Promise<void> => {
  try {
    await change
  } catch (error) {
    if (!hasCode(error, harmless)) throw error
  }
}
