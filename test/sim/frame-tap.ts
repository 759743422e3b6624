// Listens to the frames between clients and gateways, for what only they show: which bodies a device asks for although it has them,
// and the true records that a hostile node may play with.
import { fromBase64, toHex, toMapKey } from '../../src/protocol/bytes.ts'
import { isGroupId } from '../../src/protocol/names.ts'
import { splitKeys } from '../../src/protocol/records.ts'
import { openHeader } from '../../src/protocol/sealed.ts'
import { sha256 } from '../../src/protocol/signing.ts'
import type { History } from './history.ts'
import type { SeededRandom } from './random.ts'
import type { SocketTap } from './sockets.ts'

/** A message to a user: what is sent to groups means nothing to whoever is not in them. */
const isDirect = ({ k, to }: { k: string; to?: unknown }): boolean => k === 'msg' && !isGroupId(to)

/** So long after a body came the device has it, or has crashed. */
const KEPT_AFTER_MS = 2_000

const typeOf = (text: string): string => /^\{"t":"([a-z.]+)"/.exec(text)?.[1] ?? ''
type Records = [string, number][]
const digestOf = (sealed: Uint8Array): string => toHex(sha256(sealed).subarray(0, 16))

export interface FrameTapOptions {
  history: History
  now: () => number
  /** Does any home hold the record with this digest (hex)? */
  isAnywhere: (digest: string) => boolean
  /** Is the record in the database of this device? */
  isKept: (client: string, recordKey: Uint8Array) => boolean
}

export class FrameTap implements SocketTap {
  readonly #history: History
  readonly #now: () => number
  /** Device -> digest of a record -> when its body came. */
  readonly #bodies = new Map<string, Map<string, number>>()
  /** Number of a put under way -> its record, by device. */
  readonly #puts = new Map<string, Uint8Array>()
  /** Digests of records (hex) whose every attempt so far was refused, with the device; and those with another outcome. */
  readonly #refused = new Map<string, string>()
  readonly #uncertain = new Set<string>()
  /** Number of a first attempt, or of one after refusals only -> digest. */
  readonly #attempts = new Map<string, string>()
  readonly #isAnywhere: FrameTapOptions['isAnywhere']
  readonly #isKept: FrameTapOptions['isKept']
  readonly #stored: Uint8Array[] = []

  constructor({ history, now, isAnywhere, isKept }: FrameTapOptions) {
    this.#history = history
    this.#now = now
    this.#isAnywhere = isAnywhere
    this.#isKept = isKept
  }

  fromClient(client: string, text: string): void {
    const type = typeOf(text)
    if (type === 'auth.hello') this.#newSession(client)
    else if (type === 'record.put') {
      const { id, record } = JSON.parse(text) as { id: number; record: string } // a client of ours wrote it
      const sealed = fromBase64(record)
      const digest = digestOf(sealed)
      this.#judgeRefusal(digest)
      this.#refused.delete(digest)
      // Under way it may have any outcome; only a refusal takes that back.
      if (!this.#uncertain.has(digest)) this.#attempts.set(`${client} ${id}`, digest)
      this.#uncertain.add(digest)
      this.#puts.set(`${client} ${id}`, sealed)
    } else if (type === 'feed.fetch') {
      const { keys } = JSON.parse(text) as { keys: string } // likewise
      this.#fetched(client, splitKeys(fromBase64(keys)))
    }
  }

  toClient(client: string, text: string): void {
    const type = typeOf(text)
    if (type === 'record.stored') {
      const { id } = JSON.parse(text) as { id: number } // a gateway of ours wrote it
      const sealed = this.#puts.get(`${client} ${id}`)
      if (sealed && isDirect(openHeader(sealed))) this.#stored.push(sealed)
    } else if (type === 'error') {
      this.#failed(client, JSON.parse(text) as { id?: number; outcome: string }) // likewise
    } else if (type === 'record.push' || type === 'feed.page' || type === 'feed.records') {
      const { records = [] } = JSON.parse(text) as { records?: Records } // likewise
      this.#received(client, records)
    }
  }

  /** The device's process ended: what it holds now is what its database says. */
  forget(client: string): void {
    this.#bodies.delete(client)
  }

  /** What was refused, and nothing else, must be nowhere. */
  judgeRefusals(): void {
    for (const digest of [...this.#refused.keys()]) this.#judgeRefusal(digest)
  }

  /** Some message that is known to be stored. */
  pickStored(random: SeededRandom): Uint8Array | undefined {
    return this.#stored.length > 0 ? random.pick(this.#stored) : undefined
  }

  /** Numbers of frames begin anew. */
  #newSession(client: string): void {
    for (const table of [this.#puts, this.#attempts]) {
      for (const key of [...table.keys()]) if (key.startsWith(`${client} `)) table.delete(key)
    }
  }

  #failed(client: string, { id, outcome }: { id?: number; outcome: string }): void {
    const digest = this.#attempts.get(`${client} ${id}`)
    if (digest === undefined || outcome !== 'refused') return
    this.#uncertain.delete(digest)
    this.#refused.set(digest, client)
  }

  #judgeRefusal(digest: string): void {
    const client = this.#refused.get(digest)
    if (client === undefined || !this.#isAnywhere(digest)) return
    this.#history.add({ op: 'put', type: 'fail', proc: client, digest, isPresent: true })
  }

  #received(client: string, records: Records): void {
    const known = this.#bodies.get(client) ?? new Map<string, number>()
    this.#bodies.set(client, known)
    for (const [record] of records) {
      const digest = toMapKey(sha256(fromBase64(record)).subarray(0, 16))
      if (!known.has(digest)) known.set(digest, this.#now())
    }
  }

  #fetched(client: string, keys: Buffer[]): void {
    const bodies = this.#bodies.get(client)
    const isKnown = (key: Buffer): boolean =>
      this.#now() - (bodies?.get(toMapKey(key.subarray(16))) ?? Infinity) > KEPT_AFTER_MS || this.#isKept(client, key)
    const known = keys.filter(isKnown).map((key) => toHex(key))
    this.#history.add({ op: 'fetch', type: 'ok', proc: client, asked: keys.length, known })
  }
}
