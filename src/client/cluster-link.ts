// The one connection of a client with what outlasts it: the newest cluster map, kept on disk, and the time to sign with. Before it is opened
// and after it is closed there is none, and whoever asks is told so.
import { openMap, type ClusterMap, type SignedMap } from '../protocol/cluster-map.ts'
import { CLOSED, Connection, type ConnectionOptions } from './connection.ts'
import { keys } from './keys.ts'
import type { LocalStore } from './local-store.ts'
import type { ClientPorts } from './ports.ts'
import type { Session } from './session.ts'

export interface ClusterLinkOptions extends Omit<ConnectionOptions, 'known' | 'handlers' | 'onOnline' | 'onMap'> {
  store: LocalStore
  handlers: () => ConnectionOptions['handlers']
  /** `gateways`: those known now, the configured ones first. */
  onOnline: (session: Session, gateways: string[]) => void
}

export class ClusterLink {
  readonly #ports: ClientPorts
  readonly #options: ClusterLinkOptions
  #connection: Connection | undefined
  #map: SignedMap | undefined

  constructor(ports: ClientPorts, options: ClusterLinkOptions) {
    this.#ports = ports
    this.#options = options
  }

  /** Once the store has been read; connects in the background. */
  open(): void {
    const { store, handlers, onOnline, identity, ...rest } = this.#options
    const saved = store.get(keys.map())
    this.#map = saved && openMap(saved, identity.cluster)
    this.#connection = new Connection(this.#ports, {
      ...rest,
      identity,
      known: this.#map,
      handlers: handlers(),
      onOnline: (session) => onOnline(session, this.#connection?.gateways ?? []),
      onMap: (map) => {
        this.#map = map
        store.put(keys.map(), map.sealed)
      },
    })
    this.#connection.start()
  }

  get map(): ClusterMap | undefined {
    return this.#map?.map
  }

  get session(): Session | undefined {
    return this.#connection?.session
  }

  /** The time to sign with. */
  now(): number {
    return this.#connection?.now() ?? this.#ports.clock.now()
  }

  report(): ReturnType<Connection['report']> | typeof CLOSED {
    return this.#connection?.report() ?? CLOSED
  }

  async close(): Promise<void> {
    await this.#connection?.stop()
  }
}
