// Keeps one authenticated session with some gateway of the cluster, for as long as it runs: picks, dials, shakes hands,
// keeps alive, moves on when the gateway drains or dies. What goes over the session is the business of others.
import { fromBase64, toBase64 } from '../protocol/bytes.ts'
import { openMap, type SignedMap } from '../protocol/cluster-map.ts'
import { asChatError, ChatError, hasCode } from '../protocol/errors.ts'
import type { GatewayFrameType } from '../protocol/frames.ts'
import { limits } from '../protocol/limits.ts'
import { repeat, sleep } from '../platform/timing.ts'
import type { ConnectionReport } from './api.ts'
import { backoffMs, GatewayChoice } from './gateway-choice.ts'
import { newerMap, shakeHands, type Welcome } from './handshake.ts'
import type { Identity } from './identity.ts'
import { Patience } from './patience.ts'
import type { ClientPorts } from './ports.ts'
import { type FrameHandlers, Session } from './session.ts'

const PING_MS = 15_000
const PONG_TIMEOUT_MS = 5_000
const RENEW_CHECK_MS = 60_000
/** What was signed with a clock that is off by more is signed again once the gateway's is known. */
const SKEW_MS = 60_000
/** Requests under way when a gateway drains may still be answered. */
const DRAIN_MS = 1_000
const DRAIN_POLL_MS = 10
/** Refused for good: try again slowly, it may have been lifted. */
const DENIED_WAIT_MS = 30_000

export interface ConnectionOptions {
  identity: Identity
  gateways: string[]
  known: SignedMap | undefined
  handlers: FrameHandlers
  /** The session is open: from now on requests may be made. */
  onOnline: (session: Session, welcome: Welcome) => void
  onOffline: () => void
  /** Gateways refuse this device for good: revoked, expired, of another cluster. */
  onDenied: (error: ChatError) => void
  onMap: (map: SignedMap) => void
  /** A renewed certificate, to be kept. */
  onCertificate: (sealed: Uint8Array) => void
  /** Anything that `state` shows has changed. */
  onChange: () => void
}
export interface ConnectionState {
  state: 'online' | 'connecting' | 'waiting' | 'closed'
  gateway: string | null
  retryAt: number | null
  lagMs: number | null
  problem: string | null
}

/** Before the first connection and after the last. */
export const CLOSED = { state: 'closed', gateway: null, retryInMs: null, lagMs: null, problem: null } as const

export class Connection {
  readonly #ports: ClientPorts
  readonly #options: ConnectionOptions
  readonly #choice: GatewayChoice
  readonly #patience = new Patience()
  readonly #abort = new AbortController()
  #state: ConnectionState = { state: 'connecting', gateway: null, retryAt: null, lagMs: null, problem: null }
  #map: SignedMap | undefined
  #session: Session | undefined
  #clockOffsetMs = 0
  #running: Promise<void> = Promise.resolve()

  constructor(ports: ClientPorts, options: ConnectionOptions) {
    this.#ports = ports
    this.#options = options
    this.#choice = new GatewayChoice(options.gateways, ports.random)
    this.#map = options.known
  }

  start(): void {
    this.#running = this.#run(this.#abort.signal)
  }

  async stop(): Promise<void> {
    this.#abort.abort()
    this.#session?.abandon('closed')
    await this.#running
    this.#show({ state: 'closed', retryAt: null })
  }

  get state(): ConnectionState {
    return this.#state
  }

  /** The state with the wait as it is now. */
  report(): Omit<ConnectionReport, 'queued' | 'complete'> {
    const { retryAt, ...shown } = this.#state
    const left = retryAt === null ? null : Math.max(0, Math.round(retryAt - this.#ports.clock.monotonic()))
    return { ...shown, retryInMs: left }
  }

  /** The open session, if there is one. */
  get session(): Session | undefined {
    return this.#state.state === 'online' ? this.#session : undefined
  }

  get gateways(): string[] {
    return this.#choice.all
  }

  get map(): SignedMap | undefined {
    return this.#map
  }

  /** Our clock, or the gateway's where ours is so far off that records would be refused. */
  now(): number {
    const isFarOff = Math.abs(this.#clockOffsetMs) > limits.maxAheadMs / 2
    return this.#ports.clock.now() + (isFarOff ? Math.round(this.#clockOffsetMs) : 0)
  }

  async #run(signal: AbortSignal): Promise<void> {
    let failures = 0
    let isDenied = true
    while (!signal.aborted) {
      const { url, isRound, isLast } = this.#choice.next(this.#ports.clock.monotonic())
      if (isRound && failures > 0) await this.#wait(backoffMs(failures, this.#ports.random), signal)
      if (signal.aborted) return
      if (url === undefined) {
        this.#show({ problem: 'no gateway is known' })
        await this.#wait(DENIED_WAIT_MS, signal)
        continue
      }
      const { wasOnline, denial } = await this.#serve(url, signal)
      failures = wasOnline ? 1 : failures + (isRound ? 1 : 0)
      // One gateway may be wrong, or none at all: only when all of a round refuse this device is it so.
      isDenied = denial !== undefined && (isDenied || isRound)
      if (!denial || !isDenied || !isLast || signal.aborted) continue
      this.#options.onDenied(denial)
      await this.#wait(DENIED_WAIT_MS, signal)
    }
  }

  async #wait(ms: number, signal: AbortSignal): Promise<void> {
    this.#show({ state: 'waiting', retryAt: this.#ports.clock.monotonic() + ms })
    await sleep(this.#ports.clock, ms, signal)
    this.#show({ state: 'connecting', retryAt: null })
  }

  /** One connection from dialling to its end: whether it was ever online, and the refusal of this device if it ended so. */
  async #serve(url: string, signal: AbortSignal): Promise<{ wasOnline: boolean; denial?: ChatError }> {
    const ended = Promise.withResolvers<ChatError>()
    let session: Session | undefined
    let wasOnline = false
    try {
      const { clock, dial, random } = this.#ports
      const onAnswer = (answer: GatewayFrameType | ChatError): void => this.#answered(answer, url, ended.resolve)
      session = await Session.open(dial, url, { clock, handlers: {}, onEnd: ended.resolve, onAnswer, signal })
      if (signal.aborted) return { wasOnline }
      this.#session = session
      session.handlers = this.#strangersHandlers(ended.resolve)
      const { identity } = this.#options
      const known = { known: this.#map, clockOffsetMs: this.#clockOffsetMs }
      const welcome = await shakeHands(session, { identity, clock, random, ...known })
      session.handlers = this.#handlers(session, ended.resolve)
      wasOnline = true
      this.#open(session, welcome)
      await this.#keep(session, welcome, ended.promise)
    } catch (error) {
      const denial = signal.aborted ? undefined : this.#failed(asChatError(error))
      if (denial) return { wasOnline, denial }
    } finally {
      session?.close()
      this.#session = undefined
      if (wasOnline) this.#options.onOffline()
    }
    return { wasOnline }
  }

  #open(session: Session, welcome: Welcome): void {
    this.#clockOffsetMs = welcome.clockOffsetMs
    this.#choice.learn(welcome.gateways)
    this.#adopt(welcome.map)
    this.#show({ state: 'online', gateway: session.url, problem: null, lagMs: null })
    this.#options.onOnline(session, welcome)
  }

  /** Until the connection ends: pings, capability, certificate. Throws why it ended, unless the gateway drains. */
  async #keep(session: Session, { gateway }: Welcome, ended: Promise<ChatError>): Promise<void> {
    const over = new AbortController()
    const { clock } = this.#ports
    // The first turn comes after the first interval: a login is not made longer by them.
    const loop = async (everyMs: number, turn: () => Promise<void>): Promise<void> => {
      await sleep(clock, everyMs, over.signal)
      const onError = (e: ChatError): void => this.#ports.log.debug({ code: e.code }, 'upkeep')
      await repeat({ clock, everyMs, signal: over.signal, onError }, turn)
    }
    if (Math.abs(this.#clockOffsetMs) > SKEW_MS) void this.#renewCapability(session, gateway).catch(() => {})
    const loops = [
      loop(PING_MS, () => this.#ping(session)),
      loop(limits.capabilityRenewMs, () => this.#renewCapability(session, gateway)),
      loop(RENEW_CHECK_MS, () => this.#renewCertificate(session)),
    ]
    const error = await ended
    over.abort()
    session.close()
    this.#show({ state: 'connecting', lagMs: null })
    await Promise.all(loops)
    if (!hasCode(error, 'GATEWAY_DRAINING')) throw error
  }

  /** Shows why; returned when it is a refusal of this device, which trying again will not change. */
  #failed(error: ChatError): ChatError | undefined {
    this.#show({ state: 'connecting', problem: error.message })
    this.#ports.log.debug({ code: error.code, error: error.message }, 'connection')
    const now = error.details?.now
    if (hasCode(error, 'AUTH_EXPIRED', 'AUTH_DENIED') && typeof now === 'number') {
      this.#clockOffsetMs = now - this.#ports.clock.now()
      return undefined
    }
    return hasCode(error, 'AUTH_REVOKED', 'AUTH_EXPIRED', 'AUTH_CLUSTER') ? error : undefined
  }

  /** Before a gateway has proved to be one, anybody may be speaking: who says that it is over is believed, and nothing else. */
  #strangersHandlers(end: (error: ChatError) => void): FrameHandlers {
    return { error: (wire) => end(ChatError.fromWire(wire as Parameters<typeof ChatError.fromWire>[0])) } // checked by its schema
  }

  #handlers(session: Session, end: (error: ChatError) => void): FrameHandlers {
    return {
      ...this.#options.handlers,
      ...this.#strangersHandlers(end),
      'auth.map': ({ map }) => this.#adopt(openMap(fromBase64(map), this.#options.identity.cluster)),
      'session.drain': ({ gateways }) => void this.#drain(session, gateways, end),
    }
  }

  /** Where nothing can be stored for a while, and other gateways are known, one of those comes next. */
  #answered(answer: GatewayFrameType | ChatError, url: string, end: (error: ChatError) => void): void {
    if (answer === 'record.stored') this.#patience.stored()
    if (typeof answer === 'string' || this.#choice.all.length < 2) return
    const now = this.#ports.clock.monotonic()
    if (!this.#patience.failed(answer, now)) return
    this.#ports.log.info(
      { gateway: url, code: answer.code },
      'nothing can be stored through this gateway; another one is tried',
    )
    this.#choice.avoid(url, now)
    end(answer)
  }

  async #drain(session: Session, gateways: string[], end: (error: ChatError) => void): Promise<void> {
    this.#choice.learn(gateways)
    this.#choice.avoid(session.url, this.#ports.clock.monotonic())
    this.#options.onOffline()
    const deadline = this.#ports.clock.monotonic() + DRAIN_MS
    while (session.requestsUnderWay > 0 && !session.isOver && this.#ports.clock.monotonic() < deadline) {
      await sleep(this.#ports.clock, DRAIN_POLL_MS)
    }
    end(new ChatError('GATEWAY_DRAINING'))
  }

  #adopt(offered: SignedMap): void {
    const newer = newerMap(this.#map, offered)
    if (newer === this.#map) return
    this.#map = newer
    this.#options.onMap(newer)
  }

  async #ping(session: Session): Promise<void> {
    const { clock } = this.#ports
    const started = clock.monotonic()
    try {
      await session.request('ping', {}, 'pong', PONG_TIMEOUT_MS)
      this.#show({ lagMs: Math.round(clock.monotonic() - started) })
    } catch (error) {
      if (hasCode(error, 'NET_TIMEOUT')) session.abandon('no answer to a ping')
    }
  }

  async #renewCapability(session: Session, gateway: string): Promise<void> {
    const capability = this.#options.identity.capability(gateway, this.#ports.clock.now() + this.#clockOffsetMs)
    await session.request('auth.capability', { capability: toBase64(capability) }, 'ok')
  }

  async #renewCertificate(session: Session): Promise<void> {
    const { identity, onCertificate } = this.#options
    const { at, exp, publicKey } = identity.certificate
    if (this.now() < at + (exp - at) / 3) return
    const claim = identity.seal({ k: 'claim', key: toBase64(publicKey), at: this.now() })
    const reply = await session.request('auth.renew', { claim: toBase64(claim) }, 'auth.certified')
    const sealed = fromBase64(reply.certificate)
    if (identity.renew(sealed)) onCertificate(sealed)
  }

  #show(change: Partial<ConnectionState>): void {
    this.#state = { ...this.#state, ...change }
    this.#options.onChange()
  }
}
