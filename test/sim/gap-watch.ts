// What a device says is missing, as whoever looks at it sees it: asked at each change of what is shown. Writes down each gap as it appears.
import { deviceIdOf } from '../../src/protocol/records.ts'
import type { SimCluster } from './cluster.ts'
import { knowsGroup, nameOn } from './group-view.ts'
import { keyOf } from './keys.ts'
import { isGroup } from './membership.ts'
import type { Session } from './person.ts'

export class GapWatch {
  readonly #proc: string
  readonly #user: string
  readonly #cluster: SimCluster
  /** By conversation: what was said to lack when it was last asked. */
  readonly #known = new Map<string, ReadonlySet<string>>()

  constructor({ proc, user }: { proc: string; user: string }, cluster: SimCluster) {
    this.#proc = proc
    this.#user = user
    this.#cluster = cluster
  }

  /** In these conversations, or all; `life`: power cuts of the device so far. */
  async look({ chat }: Session, { life, conversations }: { life: number; conversations?: string[] }): Promise<void> {
    for (const other of conversations ?? this.#all()) {
      const gaps = await chat.gaps(nameOn(this.#cluster, this.#proc, other))
      const before = this.#known.get(other)
      const now = new Map(gaps.map((gap) => [`${life} ${gap.device} ${gap.from} ${gap.to}`, gap]))
      this.#known.set(other, new Set(now.keys()))
      for (const [key, { device, from, to }] of now) {
        if (!before?.has(key)) this.#note(other, { device, range: [from, to], life })
      }
    }
  }

  #all(): string[] {
    const { scenario } = this.#cluster
    return [...this.#cluster.users(), ...scenario.groups.filter((name) => knowsGroup(this.#cluster, this.#proc, name))]
  }

  #note(other: string, { device, range, life }: { device: string; range: [number, number]; life: number }): void {
    const author = [...this.#cluster.devices.values()].find(({ name }) => deviceIdOf(keyOf(name).publicKey) === device)
    if (!author) return
    // Two devices of one user write to the other of the conversation alike.
    const to = isGroup(other) || author.user === this.#user ? other : this.#user
    this.#cluster.history.add({ op: 'gap', type: 'ok', proc: this.#proc, from: author.name, to, range, life })
  }
}
