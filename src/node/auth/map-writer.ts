// The only writer of the cluster map. One change after the other; epochs only rise, and before signing every connected peer
// is asked for what it knows, so that an authority restored from an old copy signs nothing below it.
import { type ClusterMap, type SignedMap, signMap } from '../../protocol/cluster-map.ts'
import type { Clock, Logger } from '../../platform/ports.ts'
import { asChatError } from '../../protocol/errors.ts'
import { mapGet } from '../../protocol/rpc.ts'
import type { ClusterView, PeerTransport } from '../core/ports.ts'
import { withDeadline } from '../../platform/timing.ts'

/** A silent peer must not hold a change up for long. */
const ASK_MS = 1_000

export interface MapWriterPorts {
  transport: PeerTransport
  view: ClusterView
  clock: Clock
  log: Logger
  /** By the authority's key. */
  sign: (message: Uint8Array) => Uint8Array
  /** Throws when the newest map names another authority: asked after the peers were. */
  mustBeAuthority: () => void
}

/** The next content, without the epoch; undefined when there is nothing to change. */
export type MapChange = (map: ClusterMap) => Omit<ClusterMap, 'epoch' | 'cluster'> | undefined

export class MapWriter {
  readonly #ports: MapWriterPorts
  #last: Promise<unknown> = Promise.resolve()

  constructor(ports: MapWriterPorts) {
    this.#ports = ports
  }

  /** Resolves with the newest map once it is kept here and on its way to the peers. What `change` throws, this throws. */
  change(change: MapChange): Promise<SignedMap> {
    const mine = this.#last.then(() => this.#publish(change))
    this.#last = mine.catch(() => {})
    return mine
  }

  async #publish(change: MapChange): Promise<SignedMap> {
    const { view, log, sign, mustBeAuthority } = this.#ports
    await this.#askPeers()
    mustBeAuthority()
    const { map } = view.current()
    const next = change(map)
    if (!next) return view.current()
    const signed = signMap({ ...next, cluster: map.cluster, epoch: map.epoch + 1 }, sign)
    view.adopt(signed.sealed)
    log.debug({ epoch: signed.map.epoch }, 'published the next cluster map')
    return view.current()
  }

  async #askPeers(): Promise<void> {
    const { transport, view, clock, log } = this.#ports
    const { epoch } = view.current().map
    const others = transport.connectedPeers().filter((peer) => peer !== transport.self)
    const asked = others.map(async (peer) => {
      const { sealed } = await transport.call(peer, mapGet, { epoch }, { timeoutMs: ASK_MS })
      if (sealed) view.adopt(Uint8Array.from(sealed))
    })
    const answers = await withDeadline(clock, ASK_MS * 2, Promise.allSettled(asked))
    for (const answer of answers) {
      if (answer.status === 'rejected') {
        log.debug({ error: asChatError(answer.reason).message }, 'a peer did not say which map it knows')
      }
    }
  }
}
