// The fast path: brings a record that is on W homes to the sessions of its users, here and at the gateways their leases name.
// Moves no cursor and promises nothing: what is lost here comes by the feed.
import type { Clock } from '../../platform/ports.ts'
import { toBase64 } from '../../protocol/bytes.ts'
import { gateAbsent, gatePush } from '../../protocol/rpc.ts'
import { limits } from '../../protocol/limits.ts'
import type { PeerTransport } from '../core/ports.ts'
import { recordText } from './gateway-frames.ts'
import type { LeaseFinder } from './lease-finder.ts'
import type { Neighbours } from './neighbours.ts'
import type { Session } from './session.ts'
import type { SessionTable } from './session-table.ts'

export interface PushRecord {
  users: readonly string[]
  sealed: Uint8Array
  acceptedAt: number
  /** `sealed` in canonical base64, as its sender wrote it. */
  base64: string
  /** The session that sent it does not get it back. */
  except?: Session
}
interface PushItem {
  users: string[]
  sealed: Uint8Array
  acceptedAt: number
}
interface Outgoing {
  items: PushItem[]
  bytes: number
}
export interface PusherPorts {
  transport: PeerTransport
  clock: Clock
  sessions: SessionTable
  finder: LeaseFinder
  neighbours: Neighbours
  maxBufferedBytes: number
  /** The session reads too slowly to be pushed to. */
  onSlow: (session: Session) => void
}

const MAX_CHUNK_BYTES = limits.maxPeerFrameBytes / 2
const ITEM_OVERHEAD_BYTES = 128
const SOON_MS = 0.9 * limits.noticeFetchMs
const MAX_SOON = 1_000

export class Pusher {
  readonly #ports: PusherPorts
  #touched: Session[] = []
  #outgoing = new Map<string, Outgoing>()
  readonly #soon: PushRecord[] = []

  constructor(ports: PusherPorts) {
    this.#ports = ports
  }

  start(): void {
    const { transport, neighbours, finder } = this.#ports
    transport.handle(gatePush, ({ items }, from) => {
      if (!neighbours.isGateway(from)) return
      const absent = new Set<string>()
      for (const { users, sealed, acceptedAt } of items) {
        const text = recordText(toBase64(sealed), acceptedAt)
        for (const user of users) if (!this.#pushHere(user, text)) absent.add(user)
      }
      if (absent.size > 0) transport.notify(from, gateAbsent, { users: [...absent] })
    })
    transport.handle(gateAbsent, ({ users }, from) => {
      if (neighbours.isGateway(from)) for (const user of users) finder.notHere(user, from)
    })
  }

  push(record: PushRecord): void {
    const text = recordText(record.base64, record.acceptedAt)
    for (const user of record.users) {
      this.#pushHere(user, text, record.except)
      if (this.#ports.neighbours.hasOthers) this.#pushElsewhere(user, record)
    }
  }

  /**
   * As `push`, together with all others of the next moment: for what hundreds send to one user within a second (receipts of a group).
   * Before a client would fetch what its feed named.
   */
  pushSoon(record: PushRecord): void {
    this.#soon.push(record)
    if (this.#soon.length === 1) this.#ports.clock.after(SOON_MS, () => this.#flushSoon())
    else if (this.#soon.length === MAX_SOON) this.#flushSoon()
  }

  #flushSoon(): void {
    for (const record of this.#soon.splice(0)) this.push(record)
  }

  /** Records waiting for the end of the turn, for other gateways. */
  get queued(): number {
    let queued = 0
    for (const { items } of this.#outgoing.values()) queued += items.length
    return queued
  }

  /** False when the user has no session here. */
  #pushHere(user: string, text: string, except?: Session): boolean {
    const sessions = this.#ports.sessions.ofUser(user)
    for (const session of sessions) if (session !== except) this.#pushTo(session, text, except)
    return sessions.length > 0
  }

  #pushTo(session: Session, text: string, except?: Session): void {
    if (session.isSlow) return
    if (except && session.identity.device === except.identity.device) return
    if (session.socket.bufferedBytes > this.#ports.maxBufferedBytes) return this.#ports.onSlow(session)
    if (!session.addPush(text)) return
    this.#touched.push(session)
    if (this.#touched.length === 1) this.#ports.clock.after(0, () => this.#flushSessions())
  }

  #flushSessions(): void {
    const touched = this.#touched
    this.#touched = []
    for (const session of touched) session.flushPushes()
  }

  #pushElsewhere(user: string, record: PushRecord): void {
    const { finder } = this.#ports
    const known = finder.peek(user)
    if (known) for (const gateway of known) this.#addOutgoing(gateway, user, record)
    else {
      void finder.find(user).then((gateways) => {
        for (const gateway of gateways) this.#addOutgoing(gateway, user, record)
      })
    }
  }

  #addOutgoing(gateway: string, user: string, { sealed, acceptedAt }: PushRecord): void {
    if (this.#outgoing.size === 0) this.#ports.clock.after(0, () => this.#flushGateways())
    let outgoing = this.#outgoing.get(gateway)
    if (!outgoing) this.#outgoing.set(gateway, (outgoing = { items: [], bytes: 0 }))
    const last = outgoing.items.at(-1)
    if (last?.sealed === sealed) {
      last.users.push(user)
      return
    }
    outgoing.items.push({ users: [user], sealed, acceptedAt })
    outgoing.bytes += sealed.length + ITEM_OVERHEAD_BYTES
    if (outgoing.bytes > MAX_CHUNK_BYTES) this.#send(gateway, outgoing)
  }

  #flushGateways(): void {
    const outgoing = this.#outgoing
    this.#outgoing = new Map()
    for (const [gateway, items] of outgoing) this.#send(gateway, items)
  }

  #send(gateway: string, outgoing: Outgoing): void {
    if (outgoing.items.length > 0) this.#ports.transport.notify(gateway, gatePush, { items: outgoing.items })
    outgoing.items = []
    outgoing.bytes = 0
  }
}
