// What is of the moment and never stored: who is typing, who is there. Keeps what each session asked to be told; everything else of it is in
// live-typing.ts and live-presence.ts.
import type { Clock } from '../../platform/ports.ts'
import type { ClientFrame } from '../../protocol/frames.ts'
import type { PeerTransport } from '../core/ports.ts'
import { frameText } from './gateway-frames.ts'
import type { Groups } from './groups.ts'
import type { LeaseFinder } from './lease-finder.ts'
import { Presence } from './live-presence.ts'
import { Typing } from './live-typing.ts'
import type { Neighbours } from './neighbours.ts'
import type { RouterRing } from './router-ring.ts'
import type { Session } from './session.ts'
import type { SessionTable } from './session-table.ts'

export interface LivePorts {
  transport: PeerTransport
  clock: Clock
  sessions: SessionTable
  neighbours: Neighbours
  finder: LeaseFinder
  groups: Groups
  ring: RouterRing
  isBusy: () => boolean
  /** Whether the session's user may be seen has changed. */
  onShown: (session: Session) => void
}

export class Live {
  readonly #ports: LivePorts
  readonly #typing: Typing
  readonly #presence: Presence
  readonly #listening = new Set<Session>()

  constructor(ports: LivePorts) {
    this.#ports = ports
    this.#presence = new Presence(ports)
    this.#typing = new Typing({
      ...ports,
      listening: (user) => ports.sessions.ofUser(user).filter((session) => this.#listening.has(session)),
      membersOf: (group) => ports.groups.members(group),
    })
  }

  start(): void {
    this.#typing.start()
  }

  stop(): void {
    this.#presence.stop()
  }

  watch(session: Session, { id, users, typing, shown }: ClientFrame<'live.watch'>): void {
    this.#presence.watch(session, users)
    if (typing) this.#listening.add(session)
    else this.#listening.delete(session)
    const isNew = session.isShown !== shown
    session.isShown = shown
    if (isNew) this.#ports.onShown(session)
    session.send(frameText('ok', { id }))
  }

  typing(session: Session, frame: ClientFrame<'live.typing'>): void {
    this.#typing.take(session, frame)
  }

  closed(session: Session): void {
    this.#listening.delete(session)
    this.#presence.forget(session)
  }
}
