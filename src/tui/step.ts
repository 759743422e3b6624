// What a key or a command leads to: the next state, and what must happen in the world. And the changes that many of them share.
import { type SafeText, safeLine } from '../client/safe-text.ts'
import { type Draft, emptyDraft, escapeSlash, type Reply } from './draft.ts'
import { draftOfCurrent, type Effect, type ListRow, type State } from './state.ts'
import { leaving } from './unsaid.ts'
import { anchorWithTop, windowOf } from './timeline-view.ts'

export interface Step {
  state: State
  effects: readonly Effect[]
}
export const step = (state: State, ...effects: Effect[]): Step => ({ state, effects })

export const withDraft = (state: State, draft: Draft): State =>
  draft === draftOfCurrent(state) ? state : { ...state, drafts: { ...state.drafts, [state.current ?? '']: draft } }

export const withToast = (state: State, text: SafeText, style: 'dim' | 'problem' = 'dim'): State => ({
  ...state,
  toast: { text, style },
})

/** Leaves the present conversation (its unread rule goes, its draft stays) and shows another. */
export const openConversation = (state: State, name: string): State => {
  const left = leaving(state, name)
  const isKnown = left.opened.includes(name) || state.inbox?.some((entry) => entry.name === name)
  const opened = isKnown ? left.opened : [name, ...left.opened]
  if (name === state.current) return { ...state, opened, overlay: undefined }
  // What was typed before any conversation was open goes into the first one.
  const homeless = state.current === undefined ? state.drafts[''] : undefined
  const drafts = homeless ? { ...state.drafts, '': emptyDraft, [name]: homeless } : state.drafts
  return {
    ...state,
    opened,
    unsaid: left.unsaid,
    drafts,
    current: name,
    previous: state.current ?? state.previous,
    timeline: undefined,
    anchor: undefined,
    rule: undefined,
    recall: undefined,
    selected: undefined,
    overlay: undefined,
    isHeldUnread: false,
  }
}

/** To the newest message; what is loaded may be a part of the past, then the end is read first. */
export const toEnd = (state: State): Step => {
  const next = { ...state, anchor: undefined }
  return state.timeline?.hasEnd === false ? step(next, { type: 'loadEnd' }) : step(next)
}

/** So near an end of what is loaded that what follows is wanted soon. */
const NEAR_END = 50

export const loadingAround = (state: State, direction: -1 | 1): Step => {
  const { timeline } = state
  if (!timeline || timeline.isLoading) return step(state)
  const { first, last } = windowOf(state)
  if (direction < 0) return first < NEAR_END && !timeline.hasStart ? step(state, { type: 'loadOlder' }) : step(state)
  const isNear = last >= timeline.messages.length - NEAR_END
  return isNear && !timeline.hasEnd ? step(state, { type: 'loadNewer' }) : step(state)
}

export const showAt = (state: State, id: string): State => ({ ...state, anchor: anchorWithTop(state, id) })

export const listOverlay = (state: State, title: string, rows: readonly ListRow[]): State => ({
  ...state,
  overlay: {
    kind: 'list',
    title: safeLine(title),
    rows,
    selected: Math.max(
      0,
      rows.findIndex(({ opens }) => opens),
    ),
  },
})

/** Inputs that Up goes back to, as they are typed. */
const MAX_SENT = 200
export const withSent = ({ sent }: State, typed: string): readonly string[] =>
  typed.trim() === '' ? sent : [...sent.filter((old) => old !== typed), typed].slice(-MAX_SENT)

export interface Outgoing {
  text: string
  reply?: Reply | undefined
  files?: readonly string[]
}
/** Sends to the open conversation: shown at the end, where the eye of who sends is. Drafts stay as they are. */
export const sendMessage = (state: State, { text, reply, files }: Outgoing): Step => {
  const { current: conversation } = state
  if (conversation === undefined) return step(state)
  const sent = withSent(state, escapeSlash(text))
  const { state: next, effects } = toEnd({
    ...state,
    sent,
    cleared: undefined,
    recall: undefined,
    rule: undefined,
    showsNotices: false,
  })
  const answers = reply === undefined ? {} : { reply: reply.id }
  return step(next, ...effects, { type: 'send', conversation, text, ...answers, ...(files ? { files } : {}) })
}

export const sendText = (state: State, text: string, reply?: Reply): Step => sendMessage(state, { text, reply })
