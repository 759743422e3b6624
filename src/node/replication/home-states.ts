// What this node knows of the homes: their state as far as answers told, and the highest batch number each confirmed.
// The numbers are shown to a home when it connects (store.seen): one above what it holds proves that it lost data.
// A home's own answer always decides; this only spares requests that are known to fail.
import type { Clock } from '../../platform/ports.ts'
import { hasCode } from '../../protocol/errors.ts'
import { type StoreMark, type StoreState, storeSeen, storeState } from '../../protocol/rpc.ts'
import type { ClusterView, PeerTransport } from '../core/ports.ts'

/** A state that keeps work away from a home is asked for again at most this often, and only while somebody needs it. */
const RECHECK_MS = 500

interface Known {
  state: StoreState['state']
  askedAt: number
}

export interface HomeStatesPorts {
  transport: PeerTransport
  view: ClusterView
  clock: Clock
}

export class HomeStates {
  readonly #ports: HomeStatesPorts
  readonly #known = new Map<string, Known>()
  readonly #marks = new Map<string, StoreMark>()

  constructor(ports: HomeStatesPorts) {
    this.#ports = ports
    ports.transport.onPeerChange((peer, connected) => this.#peerChanged(peer, connected))
  }

  /** Connected and not known to refuse writes. */
  isWritable(peer: string): boolean {
    return this.#ports.transport.isConnected(peer) && this.#stateOf(peer) !== 'read-only'
  }

  /** Connected and not known to be reading back what it missed. */
  isReadable(peer: string): boolean {
    return this.#ports.transport.isConnected(peer) && this.#stateOf(peer) !== 'syncing'
  }

  /** A home answered an append. */
  appended(peer: string, mark: StoreMark): void {
    const last = this.#marks.get(peer)
    if (last?.feed !== mark.feed || last.batch < mark.batch) this.#marks.set(peer, mark)
    if (this.#known.get(peer)?.state === 'read-only') this.#known.delete(peer)
  }

  /** A home answered a read. */
  read(peer: string): void {
    if (this.#known.get(peer)?.state === 'syncing') this.#known.delete(peer)
  }

  failed(peer: string, error: unknown): void {
    if (hasCode(error, 'STORE_READ_ONLY')) this.#note(peer, 'read-only')
    if (hasCode(error, 'STORE_SYNCING')) this.#note(peer, 'syncing')
  }

  /** The home answers now that it may be read. */
  async isUp(peer: string): Promise<boolean> {
    const { transport, view } = this.#ports
    if (!transport.isConnected(peer)) return false
    try {
      const { state } = await transport.call(peer, storeState, { epoch: view.current().map.epoch })
      return state === 'up'
    } catch {
      return false // whatever it is, it cannot be read now
    }
  }

  #note(peer: string, state: StoreState['state']): void {
    this.#known.set(peer, { state, askedAt: this.#ports.clock.monotonic() })
  }

  #stateOf(peer: string): StoreState['state'] {
    const known = this.#known.get(peer)
    if (!known) return 'up'
    if (known.state !== 'up' && this.#ports.clock.monotonic() - known.askedAt > RECHECK_MS) this.#ask(peer, known)
    return known.state
  }

  #ask(peer: string, known: Known): void {
    known.askedAt = this.#ports.clock.monotonic()
    const epoch = this.#ports.view.current().map.epoch
    void this.#ports.transport.call(peer, storeState, { epoch }).then(
      ({ state }) => {
        if (this.#known.get(peer) === known) this.#note(peer, state)
      },
      () => {}, // it is asked again by the next who needs it
    )
  }

  #peerChanged(peer: string, connected: boolean): void {
    this.#known.delete(peer)
    const mark = this.#marks.get(peer)
    if (connected && mark) this.#ports.transport.notify(peer, storeSeen, mark)
  }
}
