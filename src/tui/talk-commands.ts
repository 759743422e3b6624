// Commands about conversations and their messages: opening, finding, triage, reactions, edits.
import type { AttentionLevel } from '../client/api.ts'
import { type SafeText, safeLine, safeTemplate as safe } from '../client/safe-text.ts'
import { parseWhen } from './dates.ts'
import { emojiOf } from '../client/emoji.ts'
import { isLevel, levels } from './levels.ts'
import { isBegun } from './listing.ts'
import { isOfOthers, type TimelineMessage } from './messages.ts'
import { deleteMessage, editMessage, replyOf, replyTo } from './reference-operations.ts'
import { isConversation, notAName, type SlashCommand } from './slash-command.ts'
import type { State } from './state.ts'
import { openConversation, type Step, sendText, step } from './step.ts'
import { messagesOf, shownMessage, windowOf } from './timeline-view.ts'
import { markUnread } from './triage-operations.ts'

/** Without a name it is the open conversation; without a level it has the usual one again. */
const attending =
  (level: AttentionLevel | undefined) =>
  (state: State, argument: string): Step | SafeText => {
    const conversation = argument === '' ? (state.current ?? '') : argument
    if (conversation === '') return safe`No conversation is open.`
    if (!isConversation(conversation)) return notAName(conversation)
    const begun = isBegun(state, conversation) ? ({ isBegun: true } as const) : {}
    return step(state, { type: 'setLevel', conversation, level, ...begun })
  }

const notify = (state: State, argument: string): Step | SafeText => {
  const [, level = '', name = ''] = /^(\S*)\s*(\S*)$/.exec(argument) ?? []
  return isLevel(level) ? attending(level)(state, name) : safe`/notify ${safeLine(levels.join(', '))}: which of these?`
}

const goTo = (state: State, argument: string): Step | SafeText => {
  const atMs = parseWhen(argument, state.nowMs)
  if (atMs === undefined) return safe`/goto 2026-11-23, monday, yesterday or 14:30, also day and time`
  if (state.current === undefined) return safe`No conversation is open.`
  return step(state, { type: 'jumpToTime', conversation: state.current, atMs })
}

/** From the first message of others in view on; the whole screen is what one means to come back to. */
const markShownUnread = (state: State): Step => {
  const { last } = windowOf(state)
  const others = messagesOf(state).slice(0, last + 1)
  return markUnread(state, others.findLast(isOfOthers)?.id)
}

const react = (state: State, argument: string): Step | SafeText => {
  const emoji = emojiOf(argument)
  const message = shownMessage(state, isOfOthers)
  if (emoji === undefined) return safe`/react :thumbsup: or the emoji itself; Tab completes its name`
  return message ? step(state, { type: 'react', id: message.id, emoji }) : safe`There is no message to react to.`
}

/** With a text it is sent at once. */
const reply = (state: State, text: string): Step | SafeText => {
  const message = shownMessage(state, isOfOthers)
  if (!message) return safe`There is no message to answer.`
  return text === '' ? replyTo(state, message) : sendText(state, text, replyOf(message))
}

/** Of the last own message. */
const onOwn =
  (does: (state: State, message: TimelineMessage) => Step) =>
  (state: State): Step | SafeText => {
    const message = shownMessage(state, ({ isOwn, status }) => isOwn && status !== 'failed' && status !== 'refused')
    return message ? does(state, message) : safe`There is no message of yours here.`
  }

export const talkCommands: readonly SlashCommand[] = [
  {
    name: 'msg',
    takes: safe`USER [TEXT]`,
    completes: ['conversation'],
    help: safe`open the conversation with a user`,
    run: (state, argument) => {
      const [, name = '', text = ''] = /^(\S*)\s*([^]*)$/.exec(argument) ?? []
      if (name === '') return safe`/msg USER [TEXT]: with whom?`
      if (!isConversation(name)) return notAName(name)
      const opened = openConversation(state, name)
      return text === '' ? step(opened) : sendText(opened, text)
    },
  },
  {
    name: 'search',
    takes: safe`WORDS`,
    help: safe`search all history on this device`,
    run: (state, words) =>
      words === '' ? safe`/search WORDS: say what to look for` : step(state, { type: 'search', words }),
  },
  {
    name: 'mentions',
    takes: safe``,
    help: safe`messages that name you, in all conversations`,
    run: (state) => step(state, { type: 'mentions' }),
  },
  { name: 'goto', takes: safe`DATE [TIME]`, help: safe`the first message from then on`, run: goTo },
  {
    name: 'unread',
    takes: safe``,
    help: safe`mark the last message as unread; on a selected one: u`,
    run: markShownUnread,
  },
  {
    name: 'mute',
    takes: safe`[NAME]`,
    completes: ['conversation'],
    help: safe`no notification of a conversation, which next-unread passes by`,
    run: attending('none'),
  },
  {
    name: 'unmute',
    takes: safe`[NAME]`,
    completes: ['conversation'],
    help: safe`be notified again as usual`,
    run: attending(undefined),
  },
  {
    name: 'notify',
    takes: safe`LEVEL [NAME]`,
    completes: ['level', 'conversation'],
    help: safe`${safeLine(levels.join(', '))}: what of a conversation draws attention`,
    run: notify,
  },
  {
    name: 'reply',
    takes: safe`[TEXT]`,
    help: safe`to the last message of others; to any: Ctrl-S r`,
    run: reply,
  },
  {
    name: 'react',
    takes: safe`EMOJI`,
    completes: ['emoji'],
    help: safe`on the last message of others, again takes it back; on any: Ctrl-S a`,
    run: react,
  },
  { name: 'edit', takes: safe``, help: safe`your last message; any other: Ctrl-S e`, run: onOwn(editMessage) },
  { name: 'delete', takes: safe``, help: safe`your last message; any other: Ctrl-S d`, run: onOwn(deleteMessage) },
]
