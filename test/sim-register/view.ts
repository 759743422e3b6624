// The cluster map as one process knows it: the world makes the maps, their "sealed" form is the epoch's number.
import type { ClusterView } from '../../src/node/core/ports.ts'
import type { ClusterMap, SignedMap } from '../../src/protocol/cluster-map.ts'
import type { ChatError } from '../../src/protocol/errors.ts'

export class MapView implements ClusterView {
  readonly #maps: readonly ClusterMap[]
  #current: SignedMap

  /** `maps[epoch - 1]`. */
  constructor(maps: readonly ClusterMap[], epoch: number) {
    this.#maps = maps
    this.#current = this.#signed(epoch)
  }

  current(): SignedMap {
    return this.#current
  }

  adopt(sealed: Uint8Array): boolean {
    const epoch = Number(Buffer.from(sealed).toString())
    if (epoch <= this.#current.map.epoch) return false
    this.#current = this.#signed(epoch)
    return true
  }

  adoptFrom(error: ChatError): void {
    const map = error.details?.map
    if (typeof map === 'string') this.adopt(Buffer.from(map, 'base64'))
  }

  watch(): void {}

  #signed(epoch: number): SignedMap {
    const map = this.#maps[epoch - 1]
    if (!map) throw new Error(`there is no map of epoch ${epoch}`)
    return { map, sealed: Buffer.from(String(epoch)) }
  }
}
