// Which key does what where, as data: the help is made from it, and settings.ts lets the user bind others. Terminals send no F-keys to us, and Ctrl-J is the newline.
// It must not do anything: operations.ts and draft.ts do.
import { type SafeText, safeTemplate as safe } from '../client/safe-text.ts'
import type { Edit } from './draft.ts'
import type { Operation } from './operations.ts'
import type { Overlay } from './overlay.ts'

export type Mode = 'chat' | 'select' | Overlay['kind']
export interface KeyBinding {
  readonly keys: readonly string[]
  readonly does: Operation | Edit
  /** One line of the help; without it the binding is a habit that needs no explanation. */
  readonly help?: SafeText
  /** The same in the line of keys of a mode, where there is little room. */
  readonly short?: SafeText
  /** Another operation that the same line tells of. */
  readonly other?: { readonly does: Operation | Edit; readonly help: SafeText }
}

const editing: readonly KeyBinding[] = [
  { keys: ['left', 'ctrl-b'], does: 'left' },
  { keys: ['right', 'ctrl-f'], does: 'right' },
  { keys: ['alt-b', 'ctrl-left', 'alt-left'], does: 'wordLeft' },
  { keys: ['alt-f', 'ctrl-right', 'alt-right'], does: 'wordRight' },
  {
    keys: ['ctrl-a', 'home'],
    does: 'lineStart',
    help: safe`begin of line`,
    other: { does: 'lineEnd', help: safe`its end` },
  },
  { keys: ['ctrl-e', 'end'], does: 'lineEnd' },
  { keys: ['backspace', 'ctrl-h'], does: 'backspace' },
  { keys: ['delete', 'ctrl-d'], does: 'delete' },
  {
    keys: ['ctrl-w', 'alt-backspace'],
    does: 'killWord',
    help: safe`delete the word before`,
    other: { does: 'killLineStart', help: safe`the line before` },
  },
  { keys: ['alt-d'], does: 'killWordRight' },
  { keys: ['ctrl-u'], does: 'killLineStart' },
]

const leaving: readonly KeyBinding[] = [
  { keys: ['escape', 'ctrl-c', 'ctrl-g'], does: 'closeOverlay', help: safe`close` },
]
const choosing: readonly KeyBinding[] = [
  { keys: ['up', 'ctrl-p'], does: 'selectPrevious' },
  { keys: ['down', 'ctrl-n', 'tab'], does: 'selectNext' },
  { keys: ['pageup'], does: 'selectPageUp' },
  { keys: ['pagedown'], does: 'selectPageDown' },
  { keys: ['enter'], does: 'choose', help: safe`open` },
  ...leaving,
]

const reading: readonly KeyBinding[] = [
  { keys: ['up', 'ctrl-p'], does: 'selectPrevious' },
  { keys: ['down', 'ctrl-n'], does: 'selectNext' },
  { keys: ['pageup'], does: 'selectPageUp' },
  { keys: ['pagedown'], does: 'selectPageDown' },
  { keys: ['enter'], does: 'closeOverlay' },
  ...leaving,
]

export const keyTable: Readonly<Record<Mode, readonly KeyBinding[]>> = {
  chat: [
    { keys: ['enter'], does: 'submit', help: safe`send` },
    { keys: ['ctrl-j', 'alt-enter'], does: 'newline', help: safe`new line in the message` },
    {
      keys: ['up'],
      does: 'upOrOlderInput',
      help: safe`your last message, to edit it; further up what you sent before`,
      other: { does: 'downOrNewerInput', help: safe`back` },
    },
    { keys: ['down'], does: 'downOrNewerInput' },
    { keys: ['pageup'], does: 'pageUp', help: safe`scroll up`, other: { does: 'pageDown', help: safe`down` } },
    { keys: ['pagedown'], does: 'pageDown' },
    {
      keys: ['alt-home', 'ctrl-home'],
      does: 'toStart',
      help: safe`oldest that is loaded`,
      other: { does: 'toEnd', help: safe`newest` },
    },
    { keys: ['alt-end', 'ctrl-end'], does: 'toEnd' },
    { keys: ['alt-u'], does: 'toUnread', help: safe`first unread message` },
    {
      keys: ['ctrl-n'],
      does: 'nextConversation',
      help: safe`next conversation`,
      other: { does: 'previousConversation', help: safe`previous` },
    },
    { keys: ['ctrl-p'], does: 'previousConversation' },
    {
      keys: ['alt-1'],
      does: 'conversation1',
      help: safe`first conversation of the list, and so on`,
      other: { does: 'conversation10', help: safe`tenth` },
    },
    ...([2, 3, 4, 5, 6, 7, 8, 9] as const).map(
      (number): KeyBinding => ({ keys: [`alt-${number}`], does: `conversation${number}` }),
    ),
    { keys: ['alt-0'], does: 'conversation10' },
    { keys: ['alt-s'], does: 'lastConversation', help: safe`the conversation before this one` },
    {
      keys: ['alt-p'],
      does: 'previousMention',
      help: safe`the message before that names you`,
      other: { does: 'nextMention', help: safe`the next` },
    },
    { keys: ['alt-n'], does: 'nextMention' },
    { keys: ['ctrl-s'], does: 'startSelect', help: safe`select a message, to answer, edit, delete, copy it or react` },
    { keys: ['ctrl-r'], does: 'startSearch', help: safe`search` },
    { keys: ['alt-a'], does: 'nextUnread', help: safe`next conversation with unread messages` },
    {
      keys: ['ctrl-k'],
      does: 'killOrSwitch',
      help: safe`find a conversation or command (inside a text: delete to the end)`,
    },
    {
      keys: ['tab'],
      does: 'complete',
      help: safe`complete @name, #group, /command or :emoji; again for the next`,
      other: { does: 'completePrevious', help: safe`the one before` },
    },
    { keys: ['shift-tab'], does: 'completePrevious' },
    { keys: ['alt-k'], does: 'editOutside', help: safe`write the message in $EDITOR` },
    { keys: ['alt-c'], does: 'showCluster', help: safe`the cluster, live, for its operators` },
    { keys: ['ctrl-z'], does: 'stop', help: safe`back to the shell; fg comes back here` },
    { keys: ['ctrl-l'], does: 'redraw', help: safe`draw the screen again` },
    {
      keys: ['escape'],
      does: 'escape',
      help: safe`back to the newest message; there, remove the newest that was not sent`,
    },
    { keys: ['ctrl-c'], does: 'clearOrQuit', help: safe`clear the input, Up brings it back; twice quits` },
    ...editing,
  ],
  switcher: [...choosing, ...editing],
  list: choosing,
  select: [
    { keys: ['r'], does: 'replyToMessage', help: safe`reply` },
    { keys: ['e'], does: 'editMessage', help: safe`edit` },
    { keys: ['d'], does: 'deleteMessage', help: safe`delete` },
    { keys: ['a'], does: 'reactToMessage', help: safe`react` },
    { keys: ['y'], does: 'copyMessage', help: safe`copy` },
    { keys: ['v'], does: 'viewPictures', help: safe`look at its pictures`, short: safe`view` },
    { keys: ['o'], does: 'openFiles', help: safe`open its files`, short: safe`open` },
    { keys: ['s'], does: 'saveFiles', help: safe`save them`, short: safe`save` },
    { keys: ['i'], does: 'showReceipts', help: safe`who has read it`, short: safe`readers` },
    { keys: ['u'], does: 'markMessageUnread', help: safe`mark as unread from here`, short: safe`unread` },
    { keys: ['up', 'k', 'ctrl-p', 'ctrl-s'], does: 'olderMessage', help: safe`older` },
    { keys: ['down', 'j', 'ctrl-n'], does: 'newerMessage', help: safe`newer` },
    { keys: ['enter'], does: 'goToAnswered', help: safe`go to what it answers` },
    { keys: ['alt-p'], does: 'previousMention' },
    { keys: ['alt-n'], does: 'nextMention' },
    { keys: ['escape', 'ctrl-c', 'ctrl-g'], does: 'endSelect', help: safe`leave` },
  ],
  confirm: [
    { keys: ['enter', 'y'], does: 'confirm', help: safe`yes` },
    { keys: ['n'], does: 'closeOverlay' },
    ...leaving,
  ],
  paste: [
    { keys: ['enter', 'y'], does: 'acceptPaste', help: safe`into the message` },
    { keys: ['n'], does: 'closeOverlay' },
    ...leaving,
  ],
  picture: [
    {
      keys: ['n', 'right', 'down', 'pagedown', 'space'],
      does: 'nextPicture',
      help: safe`next`,
      other: { does: 'previousPicture', help: safe`the one before` },
    },
    { keys: ['p', 'left', 'up', 'pageup'], does: 'previousPicture' },
    { keys: ['escape', 'q', 'v', 'enter', 'ctrl-c', 'ctrl-g'], does: 'closeOverlay', help: safe`close` },
  ],
  tour: [
    { keys: ['enter', 'right', 'pagedown'], does: 'nextCard', help: safe`go on` },
    { keys: ['left', 'pageup'], does: 'previousCard', help: safe`back` },
    ...leaving,
  ],
  help: reading,
  cluster: [{ keys: ['alt-c'], does: 'closeOverlay' }, ...reading],
}
