// The clients' side of the cluster: takes sockets, wires the parts that serve them, reacts to the map and to peers, and drains.
// It holds connections and nothing that must last; every durable thing is asked of others.
import type { Clock, Logger, RandomSource } from '../../platform/ports.ts'
import { repeat } from '../../platform/timing.ts'
import { encryptedSize } from '../../protocol/blob.ts'
import { toBase64, toHex } from '../../protocol/bytes.ts'
import { isRevoked, nodeOf, type SignedMap } from '../../protocol/cluster-map.ts'
import { ChatError } from '../../protocol/errors.ts'
import { limits } from '../../protocol/limits.ts'
import type {
  ClientListener,
  ClientSocket,
  ClientSocketHandlers,
  ClusterView,
  NodeIdentity,
  PeerTransport,
} from '../core/ports.ts'
import type { Service } from '../core/service.ts'
import { Blobs } from '../replication/blobs.ts'
import type { Mailboxes } from '../replication/mailboxes.ts'
import { Account } from './account.ts'
import { makeCommands } from './commands.ts'
import { Dispatcher } from './dispatcher.ts'
import { Feeds } from './feeds.ts'
import { frameText } from './gateway-frames.ts'
import { Groups } from './groups.ts'
import { Handshake } from './handshake.ts'
import { LeaseBinder } from './lease-binder.ts'
import { LeaseFinder } from './lease-finder.ts'
import { MediaHttp } from './media-http.ts'
import { Live } from './live.ts'
import { MediaTokens } from './media-tokens.ts'
import { Neighbours } from './neighbours.ts'
import { Pusher } from './push.ts'
import { Put } from './put.ts'
import { RouterRing } from './router-ring.ts'
import { closeCodes, type Identity, Session } from './session.ts'
import { SessionTable } from './session-table.ts'
import { type Rate, TokenBucket } from '../core/token-bucket.ts'

export interface GatewayPorts {
  transport: PeerTransport
  view: ClusterView
  clock: Clock
  random: RandomSource
  identity: NodeIdentity
  listener: ClientListener
  mailboxes: Mailboxes
  log: Logger
}
export interface GatewayOptions {
  /** Where clients outside reach this gateway, when that is not where it listens. */
  publicUrl?: string
  /** Records per device. */
  rate?: Rate
  /** How long stop() waits for requests under way. */
  drainMs?: number
  maxBufferedBytes?: number
  /** The largest file that is taken as an attachment; encrypted it has some more bytes. */
  maxFileBytes?: number
}
export interface GatewayStatus {
  url: string
  sockets: number
  sessions: number
  users: number
  inFlight: number
  feeds: number
  subscriptions: number
  leases: number
  /** Attachments on their way up or down. */
  transfers: number
  /** Records that wait for stores, records for other gateways, and leases for routers. */
  queued: { writes: number; pushes: number; leases: number }
}

/** A socket that nobody proved to be anyone's: enough for a handshake, or for asking now and then whether a link was approved. */
const UNAUTHENTICATED_RATE: Rate = { perSecond: 5, burst: 40 }
const DEVICE_RATE: Rate = { perSecond: limits.recordsPerSecond, burst: limits.recordBurst }
/** Below the deadline that a node gives each service. */
const DRAIN_MS = 3_000
const DRAIN_LOOK_MS = 10
/** Records that wait: beyond it what is of the moment is dropped. */
const BUSY_QUEUE = 1_000
/** A feed begins without its lease after this: routers are an optimisation. */
const LEASE_WAIT_MS = 250

export class GatewayService implements Service {
  readonly name = 'gateway'
  readonly #ports: GatewayPorts
  readonly #options: GatewayOptions
  readonly #sessions: SessionTable
  readonly #neighbours: Neighbours
  readonly #binder: LeaseBinder
  readonly #pusher: Pusher
  readonly #feeds: Feeds
  readonly #groups: Groups
  readonly #put: Put
  readonly #tokens: MediaTokens
  readonly #media: MediaHttp
  readonly #live: Live
  readonly #dispatcher: Dispatcher
  #url = ''

  constructor(ports: GatewayPorts, options: GatewayOptions = {}) {
    const { transport, view, clock, mailboxes } = ports
    this.#ports = ports
    this.#options = options
    this.#sessions = new SessionTable(clock, options.rate ?? DEVICE_RATE)
    this.#neighbours = new Neighbours(transport, view)
    const ring = new RouterRing(transport, view)
    this.#binder = new LeaseBinder(ports, ring)
    this.#feeds = new Feeds(ports)
    const finder = new LeaseFinder(ports, ring)
    this.#pusher = new Pusher({
      transport,
      clock,
      sessions: this.#sessions,
      neighbours: this.#neighbours,
      finder,
      maxBufferedBytes: options.maxBufferedBytes ?? limits.maxBufferedBytesPerClient,
      onSlow: (session) => void this.#feeds.slow(session),
    })
    const maxBlobBytes = encryptedSize(options.maxFileBytes ?? limits.defaultMaxFileBytes)
    const blobs = new Blobs(ports, mailboxes.homes)
    this.#tokens = new MediaTokens(ports.random, maxBlobBytes)
    this.#media = new MediaHttp({ blobs, tokens: this.#tokens, log: ports.log, maxBlobBytes })
    this.#groups = new Groups({ transport, view, pusher: this.#pusher })
    this.#put = new Put({ view, clock, mailboxes, pusher: this.#pusher, groups: this.#groups, blobs })
    this.#live = new Live({
      ...ports,
      sessions: this.#sessions,
      neighbours: this.#neighbours,
      groups: this.#groups,
      finder,
      ring,
      isBusy: () => mailboxes.status().queued + this.#pusher.queued > BUSY_QUEUE,
      onShown: (session) => this.#bind(session),
    })
    this.#dispatcher = new Dispatcher({ ...ports, commands: this.#makeCommands() })
  }

  async start(signal: AbortSignal): Promise<void> {
    const { transport, view, clock, listener, log } = this.#ports
    this.#neighbours.start()
    this.#pusher.start()
    this.#feeds.start(signal)
    this.#live.start()
    transport.onPeerChange((peer, connected) => {
      if (nodeOf(view.current().map, peer)?.roles.includes('router'))
        this.#binder.routersChanged(connected ? undefined : peer)
    })
    view.watch((signed) => this.#mapChanged(signed))
    const onError = (error: ChatError): void =>
      log.warn({ error: error.message }, 'looking for expired sessions failed')
    void repeat({ clock, everyMs: limits.headsMs, signal, onError }, () => this.#endExpired())
    const { url } = await listener.start(
      (socket) => this.#connected(socket),
      (request) => this.#media.handle(request),
    )
    this.#url = this.#options.publicUrl ?? url
    this.#neighbours.announce(this.#url, false)
  }

  /** Sends the clients elsewhere, finishes what is under way, then ends every connection. */
  async stop(): Promise<void> {
    const { listener } = this.#ports
    listener.stopAccepting()
    this.#put.drain()
    this.#media.drain()
    this.#neighbours.announce(this.#url, true)
    const farewell = frameText('session.drain', { gateways: this.#neighbours.urls() })
    for (const session of this.#sessions.all()) session.send(farewell)
    await this.#drained()
    for (const session of this.#sessions.all()) session.close(closeCodes.goingAway, 'GATEWAY_DRAINING')
    this.#binder.stop()
    this.#live.stop()
    await listener.stop()
  }

  get url(): string {
    return this.#url
  }

  status(): GatewayStatus {
    const binder = this.#binder.status()
    const queued = { writes: this.#ports.mailboxes.status().queued, pushes: this.#pusher.queued, leases: binder.queued }
    return {
      url: this.#url,
      ...this.#sessions.counts(),
      ...this.#feeds.counts,
      leases: binder.leases,
      transfers: this.#media.transfers,
      queued,
    }
  }

  #makeCommands(): ReturnType<typeof makeCommands> {
    const handshake = new Handshake({
      ...this.#ports,
      onOpen: (session, identity) => this.#opened(session, identity),
      onRenew: (session) => this.#renewed(session),
      gateways: () => this.#neighbours.urls(),
    })
    const sendMap = (session: Session, id: number): void => session.send(this.#mapText(id))
    const account = new Account(this.#ports)
    const [put, groups, feeds, tokens, live] = [this.#put, this.#groups, this.#feeds, this.#tokens, this.#live]
    return makeCommands({ handshake, account, put, groups, feeds, tokens, live, sendMap })
  }

  #connected(socket: ClientSocket): ClientSocketHandlers {
    const { clock, random } = this.#ports
    const bucket = new TokenBucket(UNAUTHENTICATED_RATE, clock.monotonic())
    const session = new Session(toHex(random.bytes(8)), socket, bucket)
    this.#sessions.add(session)
    session.cancelTimeout = clock.after(limits.unauthenticatedMs, () => session.end(new ChatError('AUTH_REQUIRED')))
    return {
      message: (text) => this.#dispatcher.message(session, text),
      closed: () => this.#closed(session),
    }
  }

  #opened(session: Session, identity: Identity): void {
    session.cancelTimeout()
    session.socket.authenticated()
    this.#sessions.authenticate(session, identity)?.end(new ChatError('GATEWAY_SESSIONS'))
    this.#bind(session)
  }

  #renewed(session: Session): void {
    this.#feeds.renew(session)
    this.#bind(session)
  }

  #bind(session: Session): void {
    const { user, capability } = session.identity
    const bound = this.#binder.bind({ user, session: session.id, capability, shown: session.isShown })
    session.leased = new Promise((resolve) => {
      const cancel = this.#ports.clock.after(LEASE_WAIT_MS, resolve)
      void bound.then(() => {
        cancel()
        resolve()
      })
    })
  }

  #closed(session: Session): void {
    session.isClosed = true
    session.cancelTimeout()
    this.#feeds.close(session)
    this.#live.closed(session)
    this.#binder.unbind(session.id)
    this.#sessions.remove(session)
    this.#tokens.end(session)
  }

  #mapChanged({ map }: SignedMap): void {
    this.#binder.routersChanged()
    const text = this.#mapText()
    for (const session of this.#sessions.authenticated()) {
      const { user, device } = session.identity
      if (isRevoked(map, user, device)) session.end(new ChatError('AUTH_REVOKED'))
      else session.send(text)
    }
  }

  #mapText(id?: number): string {
    const fields = { map: toBase64(this.#ports.view.current().sealed), gateway: this.#ports.identity.peer }
    return frameText('auth.map', id === undefined ? fields : { id, ...fields })
  }

  /** A session lives no longer than what its device signed for it. */
  #endExpired(): void {
    const now = this.#ports.clock.now()
    for (const session of this.#sessions.authenticated()) {
      if (session.identity.capabilityExpiresAt < now) session.end(new ChatError('AUTH_EXPIRED'))
    }
  }

  /** Resolves when no request is under way, or when it takes too long. */
  #drained(): Promise<void> {
    const { clock } = this.#ports
    const deadline = clock.monotonic() + (this.#options.drainMs ?? DRAIN_MS)
    return new Promise((resolve) => {
      const look = (): void => {
        const isDone = this.#sessions.counts().inFlight === 0 || clock.monotonic() > deadline
        if (isDone) resolve()
        else clock.after(DRAIN_LOOK_MS, look)
      }
      look()
    })
  }
}
