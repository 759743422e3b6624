// Whether every attachment that a stored message names is whole on its homes: each home reads its copy from the first to the last byte
// and hashes it. Of `chatd cluster check`.
import { mediaHomesOf } from '../../node/replication/placement.ts'
import type { ClusterMap } from '../../protocol/cluster-map.ts'
import { mediaVerify } from '../../protocol/rpc.ts'
import type { Home } from './check-homes.ts'
import { whyNot } from './check-records.ts'
import type { Problem } from './check-report.ts'

/** Copies that are read at once: each is a whole file. */
const AT_ONCE = 4

export class BlobCheck {
  readonly #map: ClusterMap
  readonly #home: (peer: string) => Home
  readonly #problems: Problem[] = []
  #whole = 0
  #named = 0

  constructor(map: ClusterMap, home: (peer: string) => Home) {
    this.#map = map
    this.#home = home
  }

  /** Blob ids with their sizes. */
  async run(named: ReadonlyMap<string, number>): Promise<Problem[]> {
    this.#named = named.size
    const queue = [...named]
    const lane = async (): Promise<void> => {
      for (let next = queue.shift(); next; next = queue.shift()) await this.#check(...next)
    }
    await Promise.all(Array.from({ length: AT_ONCE }, lane))
    return this.#problems
  }

  get counts(): { named: number; whole: number } {
    return { named: this.#named, whole: this.#whole }
  }

  /** Fewer than all copies may still come right; fewer than W is a promise that was broken. */
  async #check(blob: string, size: number): Promise<void> {
    const { peers, w } = mediaHomesOf(this.#map, blob).current
    const without: string[] = []
    for (const peer of peers) if (!(await this.#isWhole(peer, blob, size))) without.push(this.#home(peer).name)
    const copies = peers.length - without.length
    if (copies >= w) this.#whole += 1
    if (copies === peers.length && copies >= w) return
    const kind = copies >= w ? 'lag' : 'lost'
    this.#problems.push({ kind, text: `the attachment ${blob} is not whole on ${without.join(', ') || 'any home'}` })
  }

  async #isWhole(peer: string, blob: string, size: number): Promise<boolean> {
    const { name, ask } = this.#home(peer)
    try {
      return (await ask(mediaVerify, { blob })).size === size
    } catch (error) {
      this.#problems.push({ kind: 'lag', home: name, text: `${name} does not say what it has: ${whyNot(error)}` })
      return false
    }
  }
}
