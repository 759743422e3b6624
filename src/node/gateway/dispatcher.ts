// From a frame's text to its handler: parsed, known, in the right phase, of the declared shape, within the rate and the number of
// requests under way. Every failure is an error frame with the request's id; nothing a client sends gets further.
// A client that goes on sending what gets no further, or that never reads the answers, loses its connection: the others share the loop.
import * as v from 'valibot'
import type { Clock, Logger } from '../../platform/ports.ts'
import { asChatError, ChatError } from '../../protocol/errors.ts'
import { clientFrames, type ClientFrameType, type FrameDeclaration } from '../../protocol/frames.ts'
import { limits } from '../../protocol/limits.ts'
import type { Command, Commands } from './commands.ts'
import { errorText } from './gateway-frames.ts'
import type { Session } from './session.ts'
import { TokenBucket } from '../core/token-bucket.ts'

interface Row extends Command<unknown> {
  declaration: FrameDeclaration
}

/** Frames that get no further than here, before and after authentication: errors cost more than they did the sender. */
const FAULT_RATES = { before: { perSecond: 5, burst: 50 }, after: { perSecond: 200, burst: 2_000 } }
/** Pushes and pages stop far below it; so these are answers. */
const MAX_UNREAD_BYTES = 4 * limits.maxBufferedBytesPerClient

export interface DispatcherPorts {
  clock: Clock
  log: Logger
  commands: Commands
}

export class Dispatcher {
  readonly #clock: Clock
  readonly #log: Logger
  readonly #rows = new Map<string, Row>()

  constructor({ clock, log, commands }: DispatcherPorts) {
    this.#clock = clock
    this.#log = log
    for (const [type, declaration] of Object.entries(clientFrames)) {
      const { cost, handle } = commands[type as ClientFrameType] as Command<unknown> // keys of clientFrames; frames are parsed by its schema
      this.#rows.set(type, { declaration, cost, handle })
    }
  }

  message(session: Session, text: string): void {
    if (session.isClosed) return
    if (session.socket.bufferedBytes > MAX_UNREAD_BYTES) {
      return session.end(
        new ChatError('FEED_SLOW', { message: 'This client sends requests and does not read the answers' }),
      )
    }
    let id: number | undefined
    let run: () => Promise<void> | void
    try {
      const frame = parse(text)
      id = idOf(frame)
      run = this.#admit(session, frame)
    } catch (error) {
      return this.#fault(session, id, error)
    }
    this.#run(session, id, run)
  }

  /** What is to be done for this frame, if the session may ask for it now. */
  #admit(session: Session, frame: Record<string, unknown>): () => Promise<void> | void {
    const row = this.#rowOf(session, frame.t)
    if (!session.bucket.take(row.cost, this.#clock.monotonic())) throw new ChatError('RATE_LIMITED')
    if (session.inFlight >= limits.maxInFlightPerSession) {
      throw new ChatError('RATE_LIMITED', { message: 'Too many requests of this session are under way' })
    }
    const parsed = v.safeParse(row.declaration.schema, frame)
    if (!parsed.success) throw new ChatError('FRAME_INVALID', { details: { issues: describe(parsed.issues) } })
    return () => row.handle(session, parsed.output)
  }

  #run(session: Session, id: number | undefined, run: () => Promise<void> | void): void {
    let done: Promise<void> | void
    try {
      done = run()
    } catch (error) {
      return this.#fail(session, id, error)
    }
    if (!done) return
    session.inFlight++
    done.then(
      () => {
        session.inFlight--
      },
      (error: unknown) => {
        session.inFlight--
        this.#fail(session, id, error)
      },
    )
  }

  #rowOf(session: Session, type: unknown): Row {
    if (typeof type !== 'string') throw new ChatError('FRAME_INVALID')
    const row = this.#rows.get(type)
    if (!row) throw new ChatError(session.isAuthenticated ? 'FRAME_UNKNOWN' : 'AUTH_REQUIRED')
    const { phase } = row.declaration
    if (phase === 'after' && !session.isAuthenticated) throw new ChatError('AUTH_REQUIRED')
    if (phase === 'before' && session.isAuthenticated) {
      throw new ChatError('FRAME_INVALID', { message: 'This connection has already authenticated' })
    }
    return row
  }

  /** The answer to a frame that got no further; the end of a client that sends too many of them. */
  #fault(session: Session, id: number | undefined, error: unknown): void {
    const now = this.#clock.monotonic()
    session.faults ??= new TokenBucket(FAULT_RATES[session.isAuthenticated ? 'after' : 'before'], now)
    this.#fail(session, id, error)
    if (!session.faults.take(1, now)) {
      session.end(new ChatError('RATE_LIMITED', { message: 'Too many frames that could not be served' }))
    }
  }

  #fail(session: Session, id: number | undefined, error: unknown): void {
    const known = asChatError(error)
    if (known.code === 'INTERNAL')
      this.#log.error({ error: known.stack ?? known.message }, 'a request failed unexpectedly')
    session.send(errorText(known, id))
  }
}

const parse = (text: string): Record<string, unknown> => {
  let frame: unknown
  try {
    frame = JSON.parse(text)
  } catch {
    throw new ChatError('FRAME_INVALID', { message: 'The frame is not JSON' })
  }
  if (typeof frame !== 'object' || frame === null || Array.isArray(frame)) throw new ChatError('FRAME_INVALID')
  return frame as Record<string, unknown> // an object that JSON.parse made
}

/** The request's id, when it is one that an answer can carry. */
const idOf = ({ id }: Record<string, unknown>): number | undefined =>
  Number.isInteger(id) && Number(id) >= 0 ? Number(id) : undefined

const MAX_ISSUES = 5
const describe = (issues: readonly v.BaseIssue<unknown>[]): string[] =>
  issues.slice(0, MAX_ISSUES).map((issue) => `${v.getDotPath(issue) ?? 'frame'}: ${issue.message}`.slice(0, 200))
