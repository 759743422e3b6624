// Keeps the cluster map in the DHT: the authority's node and the routers publish the newest (records last 48 h), the others
// look now and then whether there is a newer one than pushes and hellos brought them.
import { authorityPeer, nodeOf, type SignedMap } from '../../protocol/cluster-map.ts'
import type { ChatError } from '../../protocol/errors.ts'
import type { Clock, Logger } from '../../platform/ports.ts'
import { repeat } from '../../platform/timing.ts'
import type { ClusterView } from '../core/ports.ts'
import type { DhtRecords } from './dht-records.ts'

const ROUND_MS = 60_000
/** Much less than the 48 h a record lives. */
const REPUBLISH_MS = 6 * 3_600_000

export interface MapRecordOptions {
  records: Pick<DhtRecords, 'publishMap' | 'readMap'>
  self: string
  view: ClusterView
  clock: Clock
  log: Logger
}

export class MapRecord {
  readonly #options: MapRecordOptions
  #publishedEpoch = 0
  #publishedAt = -Infinity

  constructor(options: MapRecordOptions) {
    this.#options = options
  }

  start(signal: AbortSignal): void {
    const { view, clock, log, self } = this.#options
    view.watch((signed) => {
      // The one that signed it at once; routers in their next round, should that have failed.
      if (!signal.aborted && authorityPeer(signed.map) === self) void this.#publish(signed)
    })
    const onError = (error: ChatError): void =>
      log.warn({ error: error.message }, 'the map record could not be handled')
    void repeat({ clock, everyMs: ROUND_MS, signal, onError }, () => this.#round())
  }

  async #round(): Promise<void> {
    const { view, self, clock, records } = this.#options
    const signed = view.current()
    if (!this.#isPublisher(signed)) {
      await records.readMap(signed.map.cluster)
      return
    }
    const isDue = signed.map.epoch > this.#publishedEpoch || clock.monotonic() - this.#publishedAt > REPUBLISH_MS
    if (isDue && nodeOf(signed.map, self)) await this.#publish(signed)
  }

  #isPublisher({ map }: SignedMap): boolean {
    const node = nodeOf(map, this.#options.self)
    return node !== undefined && (node.authority === true || node.roles.includes('router'))
  }

  async #publish({ map, sealed }: SignedMap): Promise<void> {
    const { records, clock, log } = this.#options
    const stored = await records.publishMap(map.cluster, sealed)
    if (stored === 0) return
    this.#publishedEpoch = map.epoch
    this.#publishedAt = clock.monotonic()
    log.debug({ epoch: map.epoch, stored }, 'published the map in the DHT')
  }
}
