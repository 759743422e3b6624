// "At which other gateways is this user now?": asks the routers nearest to the user, remembers the answer (an empty one too) for seconds,
// and forgets it at once when a gateway says "not here". A wrong answer makes a message late, never lost.
import { LruMap } from '../../platform/lru-map.ts'
import type { Clock } from '../../platform/ports.ts'
import { limits } from '../../protocol/limits.ts'
import { type Lease, routeLookup } from '../../protocol/rpc.ts'
import type { ClusterView, PeerTransport } from '../core/ports.ts'
import { CapabilityChecker } from './capability-checker.ts'
import type { RouterRing } from './router-ring.ts'

/** The three that hold a lease, and two more for the time in which gateways see different routers. */
const MAX_ASKED = 5
const MAX_CACHED = 50_000
const MAX_ABSENT = 10_000
/** Look-ups under way; past it users count as nowhere, and what they get comes by their feeds. */
const MAX_PENDING = 5_000

interface Cached {
  gateways: string[]
  /** By the monotonic clock. */
  until: number
}
export interface LeaseFinderPorts {
  transport: PeerTransport
  view: ClusterView
  clock: Clock
}

export class LeaseFinder {
  readonly #ports: LeaseFinderPorts
  readonly #ring: RouterRing
  readonly #capabilities: CapabilityChecker
  readonly #cache = new LruMap<string, Cached>({ max: MAX_CACHED })
  readonly #absent = new LruMap<string, number>({ max: MAX_ABSENT })
  readonly #pending = new Map<string, Promise<string[]>>()

  constructor(ports: LeaseFinderPorts, ring: RouterRing) {
    this.#ports = ports
    this.#ring = ring
    this.#capabilities = new CapabilityChecker(ports.view, ports.clock)
  }

  /** The remembered answer, without asking. */
  peek(user: string): string[] | undefined {
    const cached = this.#cache.get(user)
    return cached && cached.until > this.#ports.clock.monotonic() ? cached.gateways : undefined
  }

  /** Other gateways that hold a valid lease of the user; empty when no router knows one. Never rejects. */
  find(user: string): Promise<string[]> {
    const pending = this.#pending.get(user)
    if (pending) return pending
    if (this.#pending.size >= MAX_PENDING) return Promise.resolve([])
    const found = this.#ask(user)
      .then((leases) => this.#remember(user, leases))
      .catch(() => []) // leases that are none
      .finally(() => this.#pending.delete(user))
    this.#pending.set(user, found)
    return found
  }

  /** `gateway` has no session of `user`: whoever says otherwise is not believed for a while. */
  notHere(user: string, gateway: string): void {
    this.#absent.set(`${user} ${gateway}`, this.#ports.clock.monotonic() + limits.leaseCacheMs)
    this.#cache.delete(user)
    void this.find(user)
  }

  #remember(user: string, leases: Lease[]): string[] {
    const { clock, transport } = this.#ports
    const now = clock.monotonic()
    let until = now + limits.leaseCacheMs
    const gateways = new Set<string>()
    for (const lease of leases) {
      const isElsewhere = (this.#absent.get(`${user} ${lease.gateway}`) ?? 0) > now
      const endsAt = lease.gateway === transport.self || isElsewhere ? undefined : this.#capabilities.endOf(user, lease)
      if (endsAt === undefined) continue
      gateways.add(lease.gateway)
      until = Math.min(until, now + endsAt - clock.now())
    }
    const found = [...gateways]
    this.#cache.set(user, { gateways: found, until })
    return found
  }

  /** The first answer that is not empty; the next router is asked after an empty or failed one, or when one takes long. */
  #ask(user: string): Promise<Lease[]> {
    const { transport, clock } = this.#ports
    const routers = this.#ring.nearest(user, MAX_ASKED)
    return new Promise((resolve) => {
      let asked = 0
      let open = 0
      let cancelHedge = (): void => {}
      const answered = (leases: Lease[]): void => {
        open--
        if (leases.length === 0) return askNext()
        cancelHedge()
        asked = routers.length
        resolve(leases)
      }
      const askNext = (): void => {
        cancelHedge()
        const router = routers[asked]
        if (router === undefined) {
          if (open === 0) resolve([])
          return
        }
        asked++
        open++
        cancelHedge = clock.after(limits.hedgeMs, askNext)
        transport.call(router, routeLookup, { user }).then(
          ({ leases }) => answered(Array.isArray(leases) ? leases : []),
          () => answered([]),
        )
      }
      askNext()
    })
  }
}
