// Between the first words with peers and the first client: a node that was removed while it was down hears of it here, and does not
// serve. It waits for nobody: who cannot be reached was dialed once, and a node that is alone goes on with the map that it has.
import { sleep } from '../platform/timing.ts'
import type { Clock, Logger } from '../platform/ports.ts'
import { nodeOf } from '../protocol/cluster-map.ts'
import type { ClusterView, PeerTransport } from './core/ports.ts'
import type { Service } from './core/service.ts'
import { removedError } from './membership.ts'

/** A dial of an address that swallows everything takes as long; what answers does so in a fraction. */
const FIRST_WORDS_MS = 2_000
const LOOK_MS = 10

export interface StandingPorts {
  transport: PeerTransport & { readonly hasDialedAll: boolean }
  view: ClusterView
  clock: Clock
  log: Logger
  /** Of the node, for the error. */
  directory: string
  /** The authority's own node enters itself into the map. */
  isAuthority: boolean
}

export class Standing implements Service {
  readonly name = 'standing'
  readonly #ports: StandingPorts

  constructor(ports: StandingPorts) {
    this.#ports = ports
  }

  /** CLUSTER_STATE: a newer map does not have this node. */
  async start(signal: AbortSignal): Promise<void> {
    const { transport, clock, log, directory, isAuthority } = this.#ports
    if (isAuthority) return
    const deadline = clock.monotonic() + FIRST_WORDS_MS
    while (this.#isMember && !transport.hasDialedAll && clock.monotonic() < deadline && !signal.aborted) {
      await sleep(clock, LOOK_MS, signal)
    }
    if (!this.#isMember) throw removedError(directory)
    if (!transport.hasDialedAll) log.info({}, 'not every peer answered yet; the newest cluster map may be another')
  }

  stop(): void {}

  get #isMember(): boolean {
    const { transport, view } = this.#ports
    return nodeOf(view.current().map, transport.self) !== undefined
  }
}
