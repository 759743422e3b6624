// Who is mentioned in a message to a group: found in the text by the sender's client, marked in the content, believed by the others only
// as far as the sender had the right.
import { decodeContent } from '../protocol/content.ts'
import type { GroupRole, GroupState } from '../protocol/group.ts'
import type { MessageHeader } from '../protocol/records.ts'
import { openBody } from '../protocol/sealed.ts'
import type { Groups } from './groups.ts'

/** Everybody in the group; no user's name begins so. */
export const EVERYONE = '@all'
/** `@bob`, not the end of an address or of a word. */
const MENTION = /(?<![\p{L}\p{N}._@-])@([a-z][a-z0-9._-]{0,31})/giu
/** A sentence may end after a name. */
const PUNCTUATION = /[._-]$/

const mayCallAll = (role: GroupRole | undefined): boolean => role === 'owner' || role === 'admin'

/** The members whom a text of `author` names, and EVERYONE where it says so with the right to. */
export const mentionsIn = (text: string, { members }: GroupState, author: string): string[] => {
  const found = new Set<string>()
  for (const [, typed = ''] of text.matchAll(MENTION)) {
    let name = typed.toLowerCase()
    while (!members.has(name) && PUNCTUATION.test(name)) name = name.slice(0, -1)
    if (members.has(name)) found.add(name)
    else if (name === 'all' && mayCallAll(members.get(author))) found.add(EVERYONE)
  }
  return [...found].sort()
}

/** Does a message to a group name this user, or everybody with the right to? */
export const isMention = (
  { gv, from, to }: MessageHeader,
  sealed: Uint8Array,
  { me, groups }: { me: string; groups: Groups },
): boolean => {
  if (gv === undefined || from === me) return false
  const mentions = mentionsOf(sealed)
  return mentions.includes(me) || (mentions.includes(EVERYONE) && mayCallAll(groups.roleAt(to, gv, from)))
}

const mentionsOf = (sealed: Uint8Array): string[] => {
  try {
    const { mentions } = decodeContent(openBody(sealed))
    return Array.isArray(mentions) ? mentions : []
  } catch {
    return [] // signed by its author like this
  }
}
