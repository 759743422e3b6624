// The content of a message from what its author said: the text as it is, and what follows from it and from where it goes.
import type { Content } from '../protocol/content.ts'
import { ChatError } from '../protocol/errors.ts'
import type { GroupState } from '../protocol/group.ts'
import type { SendOptions } from './api.ts'
import { mentionsIn } from './mentions.ts'

/** MESSAGE_EMPTY for a text of which nothing shows, unless something goes along. */
export const mustSaySomething = (text: string, attachments: number, message?: string): void => {
  if (text.trim() === '' && attachments === 0)
    throw new ChatError('MESSAGE_EMPTY', message === undefined ? {} : { message })
}

/** `group`: the one that the message is to; none of a direct conversation. */
export const compose = (
  text: string,
  { reply }: Pick<SendOptions, 'reply'>,
  { me, group }: { me: string; group: GroupState | undefined },
): Content => {
  const mentions = group ? mentionsIn(text, group, me) : []
  return { text, ...(reply === undefined ? {} : { reply }), ...(mentions.length > 0 ? { mentions } : {}) }
}
