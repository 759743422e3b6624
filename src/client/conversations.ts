// Per conversation what this device holds, has read and has told: sequence numbers by sending device, the highest `at`, the next
// number of its own. Kept in memory as a whole and saved with the batch of the turn in which it changed.
import { fromUtf8, toUtf8 } from '../protocol/bytes.ts'
import { keys, ranges, textOfKey } from './keys.ts'
import type { LocalStore } from './local-store.ts'
import type { NamedRun } from './named-versions.ts'
import type { SequenceRanges } from './sequence-ranges.ts'

export interface DeviceCoverage {
  /** Whose device it is. */
  user: string
  held: SequenceRanges
  read: SequenceRanges
  /** What the sender was told, durably: nothing of it is told again. */
  toldReceived: SequenceRanges
  toldRead: SequenceRanges
  /** What of `read` this user's other devices were told. */
  syncedRead: SequenceRanges
  /** Of `held`, what mentions this user; in groups only. */
  mentions?: SequenceRanges
  /** Which versions its messages name; in groups only. */
  named?: NamedRun[]
  /** Below it everything is shown as it is, holes as gaps; above it a message waits for those before it. */
  floor: number
}
export interface Naming {
  version: number
  /** Of that version. */
  hash: string
  from: number
}
export interface Conversation {
  readonly id: string
  /** Highest `at` seen, in milliseconds since 1970. */
  maxAt: number
  /** Sequence number of this device's next message. */
  nextSeq: number
  devices: Map<string, DeviceCoverage>
  /** The version that the last message of this device named here, and from which number on all have. */
  naming?: Naming
}

interface Saved {
  maxAt: number
  nextSeq: number
  devices: [string, DeviceCoverage][]
  naming?: Naming
}

export class Conversations {
  readonly #store: LocalStore
  readonly #all = new Map<string, Conversation>()
  readonly #changed = new Set<Conversation>()

  constructor(store: LocalStore) {
    this.#store = store
  }

  async load(): Promise<void> {
    for (const [key, value] of await this.#store.range(ranges.conversations())) {
      const { devices, ...saved } = JSON.parse(fromUtf8(value)) as Saved // written by save() below
      const id = textOfKey(key)
      this.#all.set(id, { id, ...saved, devices: new Map(devices) })
    }
  }

  all(): Conversation[] {
    return [...this.#all.values()]
  }

  get(id: string): Conversation | undefined {
    return this.#all.get(id)
  }

  of(id: string): Conversation {
    const known = this.#all.get(id)
    if (known) return known
    const made: Conversation = { id, maxAt: 0, nextSeq: 1, devices: new Map() }
    this.#all.set(id, made)
    return made
  }

  coverage(conversation: Conversation, device: string, user: string): DeviceCoverage {
    const known = conversation.devices.get(device)
    if (known) return known
    const made: DeviceCoverage = {
      user,
      held: [],
      read: [],
      toldReceived: [],
      toldRead: [],
      syncedRead: [],
      floor: 1,
    }
    conversation.devices.set(device, made)
    return made
  }

  touch(conversation: Conversation): void {
    this.#changed.add(conversation)
    this.#store.expectWrite()
  }

  /** Puts everything that changed into the batch that is about to be written. */
  save(): void {
    for (const { id, devices, ...rest } of this.#changed) {
      const saved: Saved = { ...rest, devices: [...devices] }
      this.#store.put(keys.conversation(id), toUtf8(JSON.stringify(saved)))
    }
    this.#changed.clear()
  }
}
