// The slow signed facts that the DHT holds: the cluster map for nodes that missed it, and certificates as a cache.
// Leases are not among them (see docs/architecture.md). Few at a time, with a deadline each; a failure is only a miss.
import type { SingleKadDHT } from '@libp2p/kad-dht'
import { asChatError, ChatError } from '../../protocol/errors.ts'
import type { Logger } from '../../platform/ports.ts'
import type { CertificateCache } from '../core/ports.ts'
import { packCertificates, unpackCertificates } from './certificate-list.ts'
import { certificateKey, mapKey } from './record-rules.ts'

const OPERATION_MS = 3_000
/** Each operation opens a stream to every router; libp2p allows a client 64 at once. */
const MAX_PARALLEL = 8
const MAX_WAITING = 256

export interface DhtRecordsOptions {
  dht: SingleKadDHT
  log: Logger
  /** The DHT waits for a first router, whatever the deadline: without one there is nothing to ask. */
  hasRouters: () => boolean
}

export class DhtRecords implements CertificateCache {
  readonly #options: DhtRecordsOptions
  readonly #waiting: (() => void)[] = []
  #running = 0

  constructor(options: DhtRecordsOptions) {
    this.#options = options
  }

  /** The number of routers that keep it now. */
  publishMap(cluster: string, sealed: Uint8Array): Promise<number> {
    return this.#put(mapKey(cluster), sealed)
  }

  /** The first valid map that a router has; the validator has adopted it already. */
  readMap(cluster: string): Promise<Uint8Array | undefined> {
    return this.#get(mapKey(cluster))
  }

  async putCertificates(user: string, certificates: Uint8Array[]): Promise<void> {
    if (certificates.length > 0) await this.#put(certificateKey(user), packCertificates(certificates))
  }

  async getCertificates(user: string): Promise<Uint8Array[]> {
    const list = await this.#get(certificateKey(user))
    return list ? unpackCertificates(list) : []
  }

  #put(key: Uint8Array, value: Uint8Array): Promise<number> {
    return this.#limited(0, async (signal) => {
      let stored = 0
      for await (const event of this.#options.dht.put(key, value, { signal })) {
        if (event.name === 'PEER_RESPONSE' && event.messageName === 'PUT_VALUE') stored += 1
      }
      return stored
    })
  }

  #get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#limited<Uint8Array | undefined>(undefined, async (signal) => {
      for await (const event of this.#options.dht.get(key, { signal })) {
        // Already validated. Waiting for the VALUE event would mean waiting for the slowest router.
        if (event.name === 'PEER_RESPONSE' && event.record) return event.record.value
        if (event.name === 'VALUE') return event.value
      }
      return undefined
    })
  }

  /** Runs when there is room; `fallback` when it fails, is too late, or too many wait already. */
  async #limited<T>(fallback: T, operation: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (!this.#options.hasRouters() || this.#waiting.length >= MAX_WAITING) return fallback
    if (this.#running >= MAX_PARALLEL) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    this.#running += 1
    const done = new AbortController()
    try {
      return await operation(AbortSignal.any([AbortSignal.timeout(OPERATION_MS), done.signal]))
    } catch (error) {
      this.#options.log.debug({ error: asChatError(error).message }, 'a DHT operation came to nothing')
      return fallback
    } finally {
      done.abort(new ChatError('TIMEOUT')) // what is left of the query ends with it
      this.#running -= 1
      this.#waiting.shift()?.()
    }
  }
}
