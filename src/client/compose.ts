// The content of a message from what its author said: the text as it is, and what follows from it and from where it goes.
import type { Content } from '../protocol/content.ts'
import type { GroupState } from '../protocol/group.ts'
import type { SendOptions } from './api.ts'
import { mentionsIn } from './mentions.ts'

/** `group`: the one that the message is to; none of a direct conversation. */
export const compose = (
  text: string,
  { reply }: Pick<SendOptions, 'reply'>,
  { me, group }: { me: string; group: GroupState | undefined },
): Content => {
  const mentions = group ? mentionsIn(text, group, me) : []
  return { text, ...(reply === undefined ? {} : { reply }), ...(mentions.length > 0 ? { mentions } : {}) }
}
