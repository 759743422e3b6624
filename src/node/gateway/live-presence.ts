// Who is there, for those who watch: asks the routers every few seconds for all watched users together, and tells each session what has
// changed. No timer of its own for any user; while nobody watches it asks nothing.
import type { Clock } from '../../platform/ports.ts'
import { ChatError } from '../../protocol/errors.ts'
import type { GatewayFrame } from '../../protocol/frames.ts'
import { limits } from '../../protocol/limits.ts'
import { isUserName } from '../../protocol/names.ts'
import { routePresence } from '../../protocol/rpc.ts'
import type { PeerTransport } from '../core/ports.ts'
import { type Rate, TokenBuckets } from '../core/token-bucket.ts'
import { frameText } from './gateway-frames.ts'
import type { RouterRing } from './router-ring.ts'
import type { Session } from './session.ts'

/** Users that a user begins to watch, over all its devices: enough for every contact at once, not for finding out about everybody. */
const WATCH_RATE: Rate = { perSecond: 2, burst: 2 * limits.maxWatched }
const MAX_USERS = 10_000
const MAX_ASKED = 1_000
/** New ones of one turn and the next are asked together. */
const SOON_MS = 20

type Row = GatewayFrame<'live.presence'>['users'][number]

export interface PresencePorts {
  transport: PeerTransport
  clock: Clock
  ring: RouterRing
  isBusy: () => boolean
}

export class Presence {
  readonly #ports: PresencePorts
  readonly #watched = new Map<Session, ReadonlySet<string>>()
  readonly #watchers = new Map<string, Set<Session>>()
  /** Of watched users, as they were last told. */
  readonly #known = new Map<string, Row>()
  readonly #buckets = new TokenBuckets(WATCH_RATE, { max: MAX_USERS })
  #fresh = new Set<string>()
  #cancel: (() => void) | undefined

  constructor(ports: PresencePorts) {
    this.#ports = ports
  }

  /** From now on exactly these. RATE_LIMITED when too many of them are new. */
  watch(session: Session, names: readonly string[]): void {
    const users = new Set(names.filter(isUserName))
    const before = this.#watched.get(session) ?? new Set<string>()
    const added = [...users].filter((user) => !before.has(user))
    this.#mayAdd(session.identity.user, added.length)
    for (const user of before) if (!users.has(user)) this.#leave(session, user)
    if (users.size === 0) this.#watched.delete(session)
    else this.#watched.set(session, users)
    for (const user of added) this.#join(session, user)
    const rows = added.flatMap((user) => [this.#known.get(user)].filter((row) => row !== undefined))
    if (rows.length > 0) session.sendIfIdle(frameText('live.presence', { users: rows }))
    if (this.#fresh.size > 0) this.#askAfter(SOON_MS)
  }

  forget(session: Session): void {
    for (const user of this.#watched.get(session) ?? []) this.#leave(session, user)
    this.#watched.delete(session)
  }

  stop(): void {
    this.#cancel?.()
  }

  #mayAdd(user: string, count: number): void {
    if (!this.#buckets.take(user, count, this.#ports.clock.monotonic())) throw new ChatError('RATE_LIMITED')
  }

  #join(session: Session, user: string): void {
    const watchers = this.#watchers.get(user)
    if (watchers) watchers.add(session)
    else {
      this.#watchers.set(user, new Set([session]))
      this.#fresh.add(user)
    }
  }

  #leave(session: Session, user: string): void {
    const watchers = this.#watchers.get(user)
    watchers?.delete(session)
    if (watchers?.size !== 0) return
    this.#watchers.delete(user)
    this.#known.delete(user)
    this.#fresh.delete(user)
  }

  #askAfter(ms: number): void {
    this.#cancel?.()
    this.#cancel = this.#ports.clock.after(ms, () => {
      // New ones come in between; all others are asked about in their time.
      const isRound = ms === limits.presenceMs
      const users = isRound ? [...this.#watchers.keys()] : [...this.#fresh]
      this.#fresh = new Set()
      this.#cancel = undefined
      if (this.#watchers.size === 0) return
      void this.#ask(users)
      this.#askAfter(limits.presenceMs)
    })
  }

  /** Each user's nearest router, in one call for all that it is asked about; one that fails is asked again in the next round. */
  async #ask(users: readonly string[]): Promise<void> {
    const { transport, ring, isBusy } = this.#ports
    if (isBusy()) return
    const byRouter = new Map<string, string[]>()
    for (const user of users) {
      const [router] = ring.nearest(user, 1)
      if (router === undefined) continue
      const asked = byRouter.get(router)
      if (asked) asked.push(user)
      else byRouter.set(router, [user])
    }
    const calls = [...byRouter].flatMap(([router, all]) => chunks(all).map((part) => ({ router, part })))
    const answers = await Promise.all(
      calls.map(({ router, part }) =>
        transport.call(router, routePresence, { users: part }).then(
          (answer) => rowsOf(answer.users, new Set(part)),
          () => [],
        ),
      ),
    )
    this.#tell(answers.flat())
  }

  #tell(rows: readonly Row[]): void {
    const news = new Map<Session, Row[]>()
    for (const row of rows) {
      const [user, state, lastSeen] = row
      const watchers = this.#watchers.get(user)
      const before = this.#known.get(user)
      if (!watchers || (before?.[1] === state && before[2] === lastSeen)) continue
      this.#known.set(user, row)
      for (const session of watchers) {
        const known = news.get(session)
        if (known) known.push(row)
        else news.set(session, [row])
      }
    }
    for (const [session, users] of news) session.sendIfIdle(frameText('live.presence', { users }))
  }
}

const chunks = (users: string[]): string[][] =>
  Array.from({ length: Math.ceil(users.length / MAX_ASKED) }, (_, i) => users.slice(i * MAX_ASKED, (i + 1) * MAX_ASKED))

/** Whatever a router says: only about those who were asked for. */
const rowsOf = (answer: unknown, asked: ReadonlySet<string>): Row[] => {
  if (!Array.isArray(answer)) return []
  return answer.flatMap((row: unknown): Row[] => {
    const [user, isOnline, lastSeen] = Array.isArray(row) ? (row as unknown[]) : []
    if (typeof user !== 'string' || !asked.has(user)) return []
    if (isOnline === true) return [[user, 'online', null]]
    const isTime = Number.isSafeInteger(lastSeen) && Number(lastSeen) >= 0 && Number(lastSeen) <= limits.maxNumber
    return [[user, 'offline', isTime ? Number(lastSeen) : null]]
  })
}
