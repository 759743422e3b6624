// What a client does for its user, wired once over its local state: sending, changing, reading, people, groups, files, what is of the moment.
// Knows no connection but whether there is a session.
import type { ClusterMap } from '../protocol/cluster-map.ts'
import type { ChatError } from '../protocol/errors.ts'
import type { ReferenceOptions, SendOptions, SendResult } from './api.ts'
import { Attachments } from './attachments.ts'
import type { ChatState } from './chat-state.ts'
import { ChatViews } from './chat-views.ts'
import { Devices } from './devices.ts'
import { EventViews } from './event-views.ts'
import type { Identity } from './identity.ts'
import { Live } from './live.ts'
import { LocalGroups } from './local-groups.ts'
import type { ClientPorts } from './ports.ts'
import { Preferences } from './preferences.ts'
import { Referring } from './referring.ts'
import { Sending } from './sending.ts'
import type { Online } from './online.ts'
import type { Session } from './session.ts'
import { Verified } from './verified.ts'

export interface ChatPartsOptions {
  ports: ClientPorts
  identity: Identity
  state: ChatState
  /** The time to sign with. */
  now: () => number
  map: () => ClusterMap | undefined
  session: () => Session | undefined
  online: Online
  /** TIMEOUT, or NET_CLOSED when the client closes. */
  until: (holds: () => boolean, timeoutMs?: number) => Promise<void>
  /** Until an own record has reached the state waited for; rejects as Chat.send does. */
  untilState: (id: string, result: () => SendResult, options: SendOptions | ReferenceOptions) => Promise<SendResult>
  /** Why an own record was refused, while it is known. */
  problem: (id: string) => ChatError | undefined
  onChange: () => void
}

export interface ChatParts {
  views: ChatViews
  events: EventViews
  preferences: Preferences
  group: LocalGroups
  referring: Referring
  live: Live
  verified: Verified
  devices: Devices
  attachments: Attachments
  sending: Sending
}

export const makeParts = (options: ChatPartsOptions): ChatParts => {
  const { ports, identity, state, now, map, session, online, until, untilState, problem, onChange } = options
  const { clock } = ports
  const { user: me, device } = identity
  const { store, settings, outbox, certificates } = state
  const preferences = new Preferences({ store, settings, outbox, me, device, now, onChange })
  const views = new ChatViews({ state, preferences, me })
  const events = new EventViews(state)
  const group = new LocalGroups({ identity, clock, state, now, session, online, until })
  const referring = new Referring({ state, views, me, device, now, until: untilState, problem, onChange })
  const live = new Live({
    clock,
    session,
    nameOf: (conversation) => state.nameOf(conversation),
    isBlocked: (user) => settings.isBlocked(user),
  })
  const verified = new Verified(state)
  const devices = new Devices({ identity, verified, certificates, now, map, session, online })
  const attachments = new Attachments({ ports: ports.attachments, state, views, session })
  const sending = new Sending({ me, state, views, attachments, groups: group, until: untilState })
  return { views, events, preferences, group, referring, live, verified, devices, attachments, sending }
}
