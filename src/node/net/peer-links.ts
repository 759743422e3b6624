// All links of this node. The peer with the smaller id opens the streams, so that there is one of each kind per pair;
// the other accepts, and the newest link wins. Who may have a link is the transport's decision, asked before.
import type { Connection, Stream } from '@libp2p/interface'
import { asChatError, ChatError } from '../../protocol/errors.ts'
import type { RpcStream as RpcStreamKind } from '../../protocol/rpc.ts'
import type { Clock, Logger } from '../../platform/ports.ts'
import { PeerLink } from './peer-link.ts'
import type { RpcHandlers } from './rpc-handlers.ts'

export const RPC_PROTOCOLS = {
  control: '/chatd/rpc-control/1',
  data: '/chatd/rpc-data/1',
  bulk: '/chatd/rpc-bulk/1',
} as const
export const rpcKinds: readonly RpcStreamKind[] = ['control', 'data', 'bulk']
/** One of each kind; a second for the moment in which a link is replaced. */
export const STREAM_LIMITS = { maxInboundStreams: 4, maxOutboundStreams: 4 }
const OPEN_MS = 2_000

export interface PeerLinksOptions {
  self: string
  handlers: RpcHandlers
  clock: Clock
  log: Logger
  onChange: (peer: string, isUp: boolean, connection: Connection) => void
}

export class PeerLinks {
  readonly #options: PeerLinksOptions
  readonly #up = new Map<string, PeerLink>()
  /** By connection, until they are up. */
  readonly #making = new Map<string, PeerLink>()
  readonly #opening = new Set<string>()
  #isStopped = false

  constructor(options: PeerLinksOptions) {
    this.#options = options
  }

  get(peer: string): PeerLink | undefined {
    return this.#up.get(peer)
  }

  peers(): string[] {
    return [...this.#up.keys()]
  }

  /** True while this connection carries a link or is about to. */
  uses(connection: Connection): boolean {
    const peer = connection.remotePeer.toString()
    return this.#making.has(connection.id) || this.#up.get(peer)?.connection === connection || this.#opening.has(peer)
  }

  /** Opens the streams, if that is this side's part and the peer has no live link. */
  async open(connection: Connection): Promise<void> {
    const peer = connection.remotePeer.toString()
    const { log } = this.#options
    if (this.#isStopped || !this.#isOpener(peer) || this.#opening.has(peer) || this.#hasFreshLink(peer)) return
    this.#opening.add(peer)
    try {
      const signal = AbortSignal.timeout(OPEN_MS)
      const open = (kind: RpcStreamKind): Promise<Stream> =>
        connection.newStream(RPC_PROTOCOLS[kind], { signal, ...STREAM_LIMITS })
      const streams = await Promise.all(rpcKinds.map(async (kind) => ({ kind, stream: await open(kind) })))
      for (const { kind, stream } of streams) this.accept(kind, stream, connection)
    } catch (error) {
      log.debug({ peer, error: asChatError(error).message }, 'could not open streams to a peer')
    } finally {
      this.#opening.delete(peer)
    }
  }

  accept(kind: RpcStreamKind, stream: Stream, connection: Connection): void {
    if (this.#isStopped) stream.abort(new ChatError('NET_CLOSED'))
    else this.#linkOn(connection).add(kind, stream)
  }

  tick(now: number): void {
    for (const link of this.#up.values()) link.tick(now)
    for (const link of this.#making.values()) link.tick(now)
  }

  /** Ends the links of peers for which `isLeaving` holds. */
  endWhere(isLeaving: (peer: string) => boolean, error?: Error): void {
    for (const link of [...this.#up.values(), ...this.#making.values()]) if (isLeaving(link.peer)) link.end(error)
  }

  /** Ends all of them, after what waits was sent; there will be no new ones. */
  stop(): void {
    this.#isStopped = true
    this.endWhere(() => true)
  }

  /** Up or in the making: of two connections that crossed the second is not used. */
  #hasFreshLink(peer: string): boolean {
    const now = this.#options.clock.monotonic()
    const isMaking = [...this.#making.values()].some((link) => link.peer === peer && link.isFresh(now))
    return isMaking || (this.#up.get(peer)?.isFresh(now) ?? false)
  }

  #isOpener(peer: string): boolean {
    return this.#options.self < peer
  }

  #linkOn(connection: Connection): PeerLink {
    const known = this.#making.get(connection.id)
    if (known) return known
    const { handlers, clock, log } = this.#options
    const peer = connection.remotePeer.toString()
    const onUp = (up: PeerLink): void => this.#becameUp(up)
    const onEnd = (ended: PeerLink): void => this.#hasEnded(ended)
    const link = new PeerLink({ peer, connection, handlers, clock, log, onUp, onEnd })
    this.#making.set(connection.id, link)
    return link
  }

  #becameUp(link: PeerLink): void {
    this.#making.delete(link.connection.id)
    this.#up.get(link.peer)?.end() // the opener knows best: its old link is dead or it restarted
    this.#up.set(link.peer, link)
    this.#options.onChange(link.peer, true, link.connection)
  }

  #hasEnded(link: PeerLink): void {
    this.#making.delete(link.connection.id)
    if (this.#up.get(link.peer) !== link) return
    this.#up.delete(link.peer)
    this.#options.onChange(link.peer, false, link.connection)
  }
}
