// The rules for names and the strings that are derived from them.
// Every name that enters the system passes one of these checks first.

const USER = /^[a-z][a-z0-9._-]{0,31}$/
const GROUP = /^#[a-z][a-z0-9._-]{0,31}$/
/** 36 characters: longer than any name, so that neither is ever taken for the other. */
const GROUP_ID = /^#[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

export const isUserName = (text: unknown): text is string => typeof text === 'string' && USER.test(text)
export const isGroupName = (text: unknown): text is string => typeof text === 'string' && GROUP.test(text)
/** `#` and a UUIDv7: what a group is for ever. Its name only points to it, and is nowhere in records. */
export const isGroupId = (text: unknown): text is string => typeof text === 'string' && GROUP_ID.test(text)
/** Nodes are named like users: `store-1`, `gateway-2`. */
export const isNodeName = isUserName

/** The mailbox that holds a user's messages, receipts and settings. */
export const userMailbox = (user: string): string => `u:${user}`
/** The mailbox that holds a user's device certificates; written by the authority only. */
export const certificateMailbox = (user: string): string => `c:${user}`
/** The mailbox that holds the decided versions of a group. */
export const groupMailbox = (group: string): string => `g:${group}`
/** The owner of a mailbox: `u:alice` and `c:alice` belong to `alice`. */
export const mailboxOwner = (mailbox: string): string => mailbox.slice(2)

/**
 * The conversation of a message, the same for both sides: `alice:bob` for a direct one (names sorted), the id of a group.
 * A recipient recomputes it, so that nobody can place a message in a conversation it was not sent to.
 */
export const conversationOf = (sender: string, recipient: string): string => {
  if (recipient.startsWith('#')) return recipient
  return sender < recipient ? `${sender}:${recipient}` : `${recipient}:${sender}`
}

/** How `user` calls a conversation: the other user's name, or `#group`. */
export const conversationName = (conversation: string, user: string): string => {
  if (conversation.startsWith('#')) return conversation
  const [a, b] = conversation.split(':')
  return (a === user ? b : a) ?? conversation
}
