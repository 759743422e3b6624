// What /tour shows: the essentials on a few cards, as data. Keys are named by what they do, so that those in force are told; what
// no key does any more is left out. Pure. tour-view.ts draws it and goes from card to card.
import { type SafeText, safeTemplate as safe } from '../client/safe-text.ts'
import type { Edit } from './draft.ts'
import type { Operation } from './operations.ts'

export type TourRow =
  | { readonly text: SafeText }
  | { readonly label: SafeText; readonly help: SafeText }
  /** Of a slash command, by its name. */
  | { readonly command: string; readonly help: SafeText }
  /** `selected`: keys on the selected message that are told too. */
  | { readonly does: Operation | Edit; readonly help: SafeText; readonly selected?: readonly (Operation | Edit)[] }

export interface TourCard {
  readonly title: SafeText
  readonly rows: readonly TourRow[]
}

export const tourCards: readonly TourCard[] = [
  {
    title: safe`Conversations`,
    rows: [
      { text: safe`People and groups are in one list, newest on top.` },
      { command: 'msg', help: safe`begin one` },
      { does: 'killOrSwitch', help: safe`find one by some letters` },
      { does: 'nextUnread', help: safe`the next with unread messages` },
      { does: 'pageUp', help: safe`what was said before` },
    ],
  },
  {
    title: safe`Writing`,
    rows: [
      { does: 'submit', help: safe`send` },
      { does: 'newline', help: safe`new line in the message` },
      { does: 'upOrOlderInput', help: safe`your last message, to edit it` },
      { does: 'complete', help: safe`complete names, /commands, :emoji` },
      { text: safe`What is half written is kept, for each conversation.` },
    ],
  },
  {
    title: safe`Your messages`,
    rows: [
      { label: safe`…`, help: safe`waits on this device` },
      { label: safe`✓`, help: safe`stored in the cluster` },
      { label: safe`✓✓`, help: safe`received; it says so when it is read` },
      { label: safe`!`, help: safe`not sent, and why` },
      {
        does: 'startSelect',
        help: safe`select a message`,
        selected: ['replyToMessage', 'editMessage', 'deleteMessage', 'reactToMessage'],
      },
    ],
  },
  {
    title: safe`Files, search, groups`,
    rows: [
      { command: 'send', help: safe`a file or a picture` },
      { does: 'startSearch', help: safe`search everything` },
      { command: 'create', help: safe`a group` },
      { command: 'mute', help: safe`a conversation stays quiet` },
    ],
  },
  {
    title: safe`Help, and the way out`,
    rows: [
      { label: safe`?`, help: safe`all keys and commands, while nothing is written` },
      { text: safe`The same, and more, is in docs/terminal-client.md.` },
      { command: 'cluster', help: safe`the nodes, live` },
      { command: 'quit', help: safe`leave; what waits is sent next time` },
    ],
  },
]

/** For who begins. */
export const tourNotice = '/tour shows the essentials.'
