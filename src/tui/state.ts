// The whole state of the terminal client, as plain data; every text of others in it is safe to draw already.
// Only reduce.ts makes new states. What must happen in the world is asked for by effects; session.ts does it.
import type { AttentionLevel, GroupRole } from '../client/api.ts'
import { type SafeText, safeLine } from '../client/safe-text.ts'
import type { ClusterState } from './cluster.ts'
import type { Completion } from './completion.ts'
import { type Draft, emptyDraft } from './draft.ts'
import { defaultKeymap, type Keymap } from './keymap.ts'
import type { Line } from './lines.ts'
import { emptyMemory, type Memory } from './memory.ts'
import type { TimelineGap, TimelineMessage } from './messages.ts'
import type { Overlay } from './overlay.ts'
import type { SettingName, SettingValue } from './setting-table.ts'
import { type Settings, usualSettings } from './settings.ts'
import type { ThemeName } from './theme.ts'

export interface Conversation {
  /** The other user, or `#group`: how the library calls it. */
  readonly name: string
  readonly title: SafeText
  /** Of a group: what it is about, and who has another history of it. */
  readonly topic?: SafeText
  readonly disputedBy?: SafeText
  /** Nothing of that user shows. */
  readonly isBlocked?: true
  readonly unread: number
  /** The id of the first unread message. */
  readonly firstUnread: string | undefined
  /** When something last happened there. */
  readonly activeAtMs: number
  readonly mentions: number
  /** Marked as unread by hand. */
  readonly isMarked: boolean
  readonly level: AttentionLevel
  readonly last: TimelineMessage | undefined
}
export interface Connection {
  readonly state: 'online' | 'connecting' | 'waiting' | 'closed'
  readonly gateway: SafeText | undefined
  readonly retryInMs: number | undefined
  readonly queued: number
  readonly isComplete: boolean
  readonly lagMs: number | undefined
  readonly problem: SafeText | undefined
  /** Why no gateway takes this device any more. */
  readonly denied?: SafeText
  /** How far files are on their way to the cluster. */
  readonly transfers: SafeText | undefined
}
export interface Timeline {
  readonly conversation: string
  readonly messages: readonly TimelineMessage[]
  readonly gaps: readonly TimelineGap[]
  /** The first message there is has been loaded. */
  readonly hasStart: boolean
  /** The newest too: what arrives is added. Without it this is a part of the past. */
  readonly hasEnd: boolean
  readonly isLoading: boolean
}
/** Sent from here and not in the history of the library yet. */
export interface Pending {
  readonly conversation: string
  readonly message: TimelineMessage
}
/** The bottom line of the view while it is scrolled up. */
export interface Anchor {
  readonly id: string
  readonly line: number
}
/** What the rule says: here the unread messages begin, or this is what was looked for. */
export interface Rule {
  readonly before: string
  readonly words: 'unread' | 'found'
}
/** A list to choose from, over the timeline. */
export interface ListRow {
  readonly line: Line
  /** What Enter opens; a row without it only informs. */
  readonly opens?: { readonly conversation: string; readonly id?: string }
}
/** The pictures of a message, made for that width of the timeline, each of so many rows at most. */
export interface Thumbnail {
  readonly width: number
  readonly rows: number
  /** None when it could not be read. */
  readonly lines: readonly Line[]
}
export interface Presence {
  readonly isOnline: boolean
  readonly lastSeenMs: number | undefined
}
export interface Toast {
  readonly text: SafeText
  readonly style: 'dim' | 'problem'
  /** Says what is being done: it stays until that is done. */
  readonly isUnderWay?: boolean
}

export interface State {
  readonly user: string
  readonly keymap: Keymap
  readonly theme: ThemeName
  readonly settings: Settings
  readonly title: SafeText
  readonly notices: readonly SafeText[]
  /** Until the first message is sent or Escape is pressed; /help has them always. */
  readonly showsNotices: boolean
  readonly size: { readonly columns: number; readonly rows: number }
  /** Of the terminal; one that sends no reports counts as focused. */
  readonly isFocused: boolean
  readonly connection: Connection | undefined
  /** Undefined until the inbox was read for the first time. */
  readonly inbox: readonly Conversation[] | undefined
  /** Begun with /msg; nothing is in them yet. */
  readonly opened: readonly string[]
  /** How loud those of them are that were made so; the library tells of a conversation once something is in it. */
  readonly begunLevels: ReadonlyMap<string, AttentionLevel>
  /** Left when nothing but what was refused was in them: they are in the list again when they are opened, or something is said there. */
  readonly unsaid: readonly string[]
  readonly current: string | undefined
  /** Where Alt-S goes back to. */
  readonly previous: string | undefined
  readonly timeline: Timeline | undefined
  readonly pending: readonly Pending[]
  readonly anchor: Anchor | undefined
  /** Stands before a message until the conversation is left or answered. */
  readonly rule: Rule | undefined
  readonly drafts: Readonly<Record<string, Draft>>
  readonly sent: readonly string[]
  /** How the input was when something was asked for that will open over it. */
  readonly asked: Draft | undefined
  /** What Ctrl-C, or a search, took out of the input, until something is sent: it may be a slip either way, so it is kept, and on no disk. */
  readonly cleared: string | undefined
  /** The open conversation was marked as unread by hand and stays so until it is left. */
  readonly isHeldUnread: boolean
  /** While the history of what was sent is walked: the place in it, and the draft that was left. */
  readonly recall: { readonly index: number; readonly draft: Draft } | undefined
  /** The last one that Tab made; completion.ts says whether it goes on. */
  readonly completion: Completion | undefined
  /** The message that keys are about, by id (Ctrl-S). */
  readonly selected: string | undefined
  /** Users who were verified and have new devices since: their keys may be somebody else's. */
  readonly strangeDevices: readonly SafeText[]
  /** Who is typing, by conversation. */
  readonly typing: Readonly<Record<string, readonly SafeText[]>>
  readonly presence: Readonly<Record<string, Presence>>
  /** By the id of the message; those made last. */
  readonly thumbnails: ReadonlyMap<string, Thumbnail>
  readonly overlay: Overlay | undefined
  /** What the operator's view was told last. */
  readonly cluster: ClusterState | undefined
  readonly toast: Toast | undefined
  /** About the command that is being typed. */
  readonly hint: SafeText | undefined
  /** Ctrl-C was pressed on an empty input: the next one quits. */
  readonly isQuitArmed: boolean
  readonly nowMs: number
}

export type Effect =
  | { type: 'send'; conversation: string; text: string; reply?: string; files?: readonly string[] }
  /** The attachments of a message, to where files go; `openFiles` shows them too. */
  | { type: 'saveFiles' | 'openFiles'; id: string }
  /** Who is in the group, beside the names that are known: those that begin as `typed`, which begins with `sign`. */
  | {
      type: 'completeMember'
      group: string
      known: readonly string[]
      sign: '@' | ''
      typed: string
      from: number
      draft: Draft
    }
  | { type: 'completePath' | 'completeDevice'; typed: string; from: number; draft: Draft }
  | { type: 'copy'; text: SafeText }
  | { type: 'loadOlder' | 'loadNewer' | 'loadEnd' }
  /** `words`: of the rule above it, usually `found`. */
  | { type: 'jump'; conversation: string; id: string; words?: Rule['words'] }
  | { type: 'search'; words: string }
  | { type: 'mentions' }
  | { type: 'markUnread'; conversation: string }
  /** `isBegun`: nothing was said there yet. */
  | { type: 'setLevel'; conversation: string; level: AttentionLevel | undefined; isBegun?: true }
  /** The first message from then on, milliseconds since 1970. */
  | { type: 'jumpToTime'; conversation: string; atMs: number }
  | { type: 'block' | 'unblock'; user: string }
  | { type: 'devices' }
  | { type: 'editMessage'; id: string; text: string }
  | { type: 'deleteMessage'; id: string }
  | { type: 'react'; id: string; emoji: string }
  /** Who has received and read it. */
  | { type: 'receipts'; id: string }
  /** The first sees which device that is, and asks. */
  | { type: 'askRevoke' | 'revoke'; device: string }
  | { type: 'groups' }
  | { type: 'members' | 'compared'; group: string }
  | { type: 'createGroup'; group: string; users: readonly string[] }
  | { type: 'addMembers' | 'removeMembers'; group: string; users: readonly string[] }
  | { type: 'leaveGroup'; group: string }
  | { type: 'giveRole'; group: string; user: string; role: GroupRole }
  | { type: 'renameGroup'; group: string; newName: string }
  | { type: 'setTopic'; group: string; topic: string }
  | { type: 'cluster' }
  | { type: 'set'; name: SettingName; value: SettingValue }
  | { type: 'verify' | 'verified'; user: string }
  | { type: 'link'; code: string }
  | { type: 'edit'; conversation: string; text: string }
  /** Until the shell lets it go on. */
  | { type: 'stop' }
  | { type: 'redraw' }
  | { type: 'quit' }

export const initialState = (options: {
  user: string
  profile: string
  notices: readonly string[]
  size: State['size']
  nowMs: number
  memory?: Memory
  keymap?: Keymap
  theme?: ThemeName
  settings?: Settings
}): State => {
  const { drafts, sent, unsaid } = options.memory ?? emptyMemory
  const isUsual = options.profile === 'default' || options.profile === options.user
  return {
    user: options.user,
    keymap: options.keymap ?? defaultKeymap,
    theme: options.theme ?? 'terminal',
    settings: options.settings ?? usualSettings,
    title: safeLine(isUsual ? options.user : `${options.user} (profile ${options.profile})`),
    notices: options.notices.map((notice) => safeLine(notice)),
    showsNotices: options.notices.length > 0,
    size: options.size,
    isFocused: true,
    connection: undefined,
    inbox: undefined,
    // A draft for somebody who has not answered yet is found again.
    opened: Object.keys(drafts).filter((name) => name !== ''),
    begunLevels: new Map(),
    unsaid,
    current: undefined,
    previous: undefined,
    timeline: undefined,
    pending: [],
    anchor: undefined,
    rule: undefined,
    drafts,
    sent,
    asked: undefined,
    cleared: undefined,
    isHeldUnread: false,
    recall: undefined,
    completion: undefined,
    selected: undefined,
    strangeDevices: [],
    typing: {},
    presence: {},
    thumbnails: new Map(),
    overlay: undefined,
    cluster: undefined,
    toast: undefined,
    hint: undefined,
    isQuitArmed: false,
    nowMs: options.nowMs,
  }
}

/** Names are chosen by others: `constructor` is one. */
export const draftOfConversation = ({ drafts }: State, name: string): Draft =>
  (Object.hasOwn(drafts, name) ? drafts[name] : undefined) ?? emptyDraft

/** Without a connection nobody knows. */
export const presenceOf = ({ presence, connection }: State, user: string): Presence | undefined =>
  (connection?.state ?? 'online') === 'online' && Object.hasOwn(presence, user) ? presence[user] : undefined

export const thumbnailOf = ({ thumbnails }: State, id: string): Thumbnail | undefined => thumbnails.get(id)

export const typingIn = ({ typing }: State, name: string): readonly SafeText[] =>
  (Object.hasOwn(typing, name) ? typing[name] : undefined) ?? []

/** The draft of no conversation is that of the empty name: what is typed before one is open is kept too. */
export const draftOfCurrent = (state: State): Draft => draftOfConversation(state, state.current ?? '')
