// The link to one peer: one RPC stream of each kind over one libp2p connection. It is up once all are there and the
// peer was heard; it ends as a whole, whatever part of it ends first, or when the peer falls silent.
import type { Connection, Stream } from '@libp2p/interface'
import { ChatError } from '../../protocol/errors.ts'
import type { RpcStream as RpcStreamKind } from '../../protocol/rpc.ts'
import type { Clock, Logger } from '../../platform/ports.ts'
import { wireOf } from './libp2p-wire.ts'
import type { RpcHandlers } from './rpc-handlers.ts'
import { RpcStream } from './rpc-stream.ts'

/** A peer sends something every 750 ms; one that did not for so long hangs, is paused or cut off. */
const SILENT_MS = 3_000
/** One of each kind. */
const ALL_STREAMS = 3
/** Heard so recently that the link surely lives. */
const FRESH_MS = 1_500
/** From the first stream to the last. */
const MAKING_MS = 3_000

export interface PeerLinkOptions {
  peer: string
  connection: Connection
  handlers: RpcHandlers
  clock: Clock
  log: Logger
  onUp: (link: PeerLink) => void
  onEnd: (link: PeerLink) => void
}

export class PeerLink {
  readonly peer: string
  readonly connection: Connection
  readonly #options: PeerLinkOptions
  readonly #streams = new Map<RpcStreamKind, RpcStream>()
  readonly #madeAt: number
  #heardAt: number
  #tickedAt: number
  #heard = false
  #state: 'making' | 'up' | 'ended' = 'making'

  constructor(options: PeerLinkOptions) {
    this.#options = options
    this.peer = options.peer
    this.connection = options.connection
    this.#madeAt = this.#heardAt = this.#tickedAt = options.clock.monotonic()
  }

  get isUp(): boolean {
    return this.#state === 'up'
  }

  get heldBytes(): number {
    let bytes = 0
    for (const stream of this.#streams.values()) bytes += stream.heldBytes
    return bytes
  }

  isFresh(now: number): boolean {
    return this.#state !== 'ended' && now - this.#heardAt < FRESH_MS
  }

  /** Both sides greet, so that the one that opened knows that it was let in. */
  add(kind: RpcStreamKind, stream: Stream): void {
    const { peer, handlers, clock, log } = this.#options
    if (this.#state !== 'making' || this.#streams.has(kind)) {
      stream.abort(new ChatError('RPC_INVALID', { message: 'One stream of each kind is enough' }))
      return
    }
    const onHeard = (): void => this.#onHeard()
    const onEnd = (): void => this.end()
    const beats = kind === 'control'
    const made = new RpcStream({ peer, wire: wireOf(stream), handlers, clock, log, onEnd, onHeard, beats })
    this.#streams.set(kind, made)
    made.heartbeat()
    this.#maybeUp()
  }

  /** PEER_UNREACHABLE while a stream is missing. */
  stream(kind: RpcStreamKind): RpcStream {
    const stream = this.#streams.get(kind)
    if (!stream) throw new ChatError('PEER_UNREACHABLE')
    return stream
  }

  tick(now: number): void {
    // A loop that was itself held up has not read what arrived meanwhile: that is no silence of the peer.
    const lateMs = now - this.#tickedAt
    this.#tickedAt = now
    if (lateMs > 1_000) this.#heardAt += lateMs
    const isSilent = now - this.#heardAt > SILENT_MS
    const isStuck = this.#state === 'making' && now - this.#madeAt > MAKING_MS
    if (isSilent || isStuck) this.end(new ChatError('NET_TIMEOUT', { message: 'The peer is silent' }))
    else for (const stream of this.#streams.values()) stream.tick(now)
  }

  /** In order (what waits is still sent) or, with an error, at once. */
  end(error?: Error): void {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    for (const stream of this.#streams.values()) stream.end(error)
    if (error) this.connection.abort(error)
    else void this.connection.close().catch(() => this.connection.abort(new ChatError('NET_CLOSED')))
    this.#options.onEnd(this)
  }

  #onHeard(): void {
    this.#heardAt = this.#options.clock.monotonic()
    if (this.#heard) return
    this.#heard = true
    this.#maybeUp()
  }

  #maybeUp(): void {
    if (this.#state !== 'making' || !this.#heard || this.#streams.size < ALL_STREAMS) return
    this.#state = 'up'
    this.#options.onUp(this)
  }
}
