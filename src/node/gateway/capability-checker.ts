// Capabilities of others' sessions, as leases carry them: each is verified once, then only compared with time and map.
import { LruMap } from '../../platform/lru-map.ts'
import { mutant } from '../../platform/mutants.ts'
import type { Clock } from '../../platform/ports.ts'
import { toMapKey } from '../../protocol/bytes.ts'
import { type Capability, openCapability } from '../../protocol/certificate.ts'
import { isRevoked } from '../../protocol/cluster-map.ts'
import { ChatError } from '../../protocol/errors.ts'
import type { Lease } from '../../protocol/rpc.ts'
import type { ClusterView } from '../core/ports.ts'

const MAX_REMEMBERED = 20_000

type Checked = Pick<Capability, 'user' | 'dev' | 'gw' | 'exp'>

export class CapabilityChecker {
  readonly #view: ClusterView
  readonly #clock: Clock
  readonly #checked = new LruMap<string, Checked | false>({ max: MAX_REMEMBERED })

  constructor(view: ClusterView, clock: Clock) {
    this.#view = view
    this.#clock = clock
  }

  /** When the lease's capability ends; undefined when it does not allow this gateway to serve this user now. */
  endOf(user: string, lease: Lease): number | undefined {
    if (mutant('signature-unchecked')) return Number.MAX_SAFE_INTEGER
    const checked = this.#check(lease)
    if (!checked || checked.user !== user || checked.gw !== lease.gateway) return undefined
    const isOver = checked.exp < this.#clock.now() || isRevoked(this.#view.current().map, user, checked.dev)
    return isOver ? undefined : checked.exp
  }

  #check({ gateway, capability }: Lease): Checked | false {
    const key = `${gateway} ${toMapKey(capability)}`
    const known = this.#checked.get(key)
    if (known !== undefined) return known
    const checked = this.#open(gateway, capability)
    this.#checked.set(key, checked)
    return checked
  }

  #open(gateway: string, sealed: Uint8Array): Checked | false {
    try {
      const { cluster } = this.#view.current().map
      const { user, dev, gw, exp } = openCapability(sealed, cluster, { gateway, now: this.#clock.now() })
      return { user, dev, gw, exp }
    } catch (error) {
      if (error instanceof ChatError) return false
      throw error
    }
  }
}
