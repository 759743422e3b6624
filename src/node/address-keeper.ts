// A node that was started with other addresses than the map names tells the authority, until the map is right. The others find it
// meanwhile all the same, because it dials them.
import { asChatError } from '../protocol/errors.ts'
import { authorityPeer, nodeOf } from '../protocol/cluster-map.ts'
import { authMoved } from '../protocol/rpc.ts'
import type { Clock, Logger } from '../platform/ports.ts'
import { repeat } from '../platform/timing.ts'
import type { ClusterView, PeerTransport } from './core/ports.ts'
import type { Service } from './core/service.ts'

const LOOK_MS = 2_000

export interface AddressKeeperPorts {
  transport: PeerTransport
  view: ClusterView
  clock: Clock
  log: Logger
  /** What the map is to say. */
  addresses: string[]
}

export class AddressKeeper implements Service {
  readonly name = 'addresses'
  readonly #ports: AddressKeeperPorts

  constructor(ports: AddressKeeperPorts) {
    this.#ports = ports
  }

  start(signal: AbortSignal): void {
    const { clock, log } = this.#ports
    const onError = (error: unknown): void =>
      log.warn({ error: asChatError(error).message }, 'the authority did not take the new addresses of this node yet')
    void repeat({ clock, everyMs: LOOK_MS, signal, onError }, () => this.#look())
  }

  stop(): void {}

  async #look(): Promise<void> {
    const { transport, view, log, addresses } = this.#ports
    const { map } = view.current()
    const own = nodeOf(map, transport.self)
    const authority = authorityPeer(map)
    if (!own || own.addresses.join() === addresses.join()) return
    if (authority === undefined || !transport.isConnected(authority)) return
    const { epoch } = await transport.call(authority, authMoved, { addresses })
    log.info({ addresses, epoch }, 'the cluster map names the new addresses of this node')
  }
}
