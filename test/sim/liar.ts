// A member of the map that lies. As a router it forgets leases and invents them; as a gateway it pushes and stores records that
// nobody signed, records changed on the way, and true records for people they were not meant for. It can forge no signature.
import { userMailbox, conversationOf } from '../../src/protocol/names.ts'
import { openRecord, type MessageHeader, type ReceiptHeader } from '../../src/protocol/records.ts'
import { encodeContent } from '../../src/protocol/content.ts'
import {
  gatePush,
  groupPropose,
  mapGet,
  mediaUnpin,
  routeBind,
  routeLookup,
  storeAppend,
} from '../../src/protocol/rpc.ts'
import { openBody, openHeader, seal, type SealedHeader } from '../../src/protocol/sealed.ts'
import type { SignedMap } from '../../src/protocol/cluster-map.ts'
import { concat, toHex } from '../../src/protocol/bytes.ts'
import type { SeenVersion } from './checker.ts'
import { type Intruder, type Intrusion, invitationOf, messageOf, versionOf } from './intruder.ts'
import { keyOf } from './keys.ts'
import { EPOCH_MS, Life } from './life.ts'
import type { NodeWorld } from './node.ts'
import { plausibleId } from './plausible-id.ts'
import type { SeededRandom } from './random.ts'
import { type IntrusionKind, LIAR } from './scenario.ts'
import type { SimTransport } from './transport.ts'

interface ForgedDeletion {
  blob: string
  /** Record key. */
  message: Uint8Array
  from: string
  to: string
  /** A device's id. */
  device: string
}

export class Liar {
  readonly #world: NodeWorld
  readonly #random: SeededRandom
  readonly #map: () => SignedMap
  readonly #users: () => string[]
  readonly #life: Life
  readonly #transport: SimTransport
  /** Ids and texts it made up, for the checker; and ids of messages that a real user signed who was not in the group. */
  readonly forged: string[] = []
  readonly intruded: string[] = []

  constructor(world: NodeWorld, { map, users }: { map: () => SignedMap; users: () => string[] }) {
    this.#world = world
    this.#users = users
    this.#map = map
    this.#random = world.random.fork('liar')
    this.#life = new Life(world.scheduler, { skewMs: 0 })
    this.#transport = world.network.attach({ peer: LIAR, life: this.#life, knows: () => true })
    this.#transport.handle(mapGet, () => ({ epoch: this.#map().map.epoch }))
    this.#transport.handle(routeBind, ({ leases }) => ({ kept: leases.length }))
    this.#transport.handle(routeLookup, () => ({ leases: this.#inventedLeases() }))
  }

  #inventedLeases(): { gateway: string; session: string; capability: Uint8Array }[] {
    if (this.#random.chance(0.6)) return []
    return [{ gateway: LIAR, session: 'none', capability: this.#random.bytes(80) }]
  }

  /** `seen`: a true record that everybody may know; `from` and `to` are users, `device` one of `from`. */
  forge({ from, to, device, seen }: { from: string; to: string; device: string; seen: Uint8Array | undefined }): void {
    const invented = this.#invented(from, to, device)
    const items = [
      { sealed: invented, users: [to, from] },
      { sealed: this.#receipt(from, to, device), users: [to] },
    ]
    if (seen) items.push(this.#changed(seen), this.#misplaced(seen, to))
    for (const { sealed, users } of items) this.#spread(sealed, users)
  }

  /** A user and his key are on its side: true signatures, on what he has no right to. */
  intrude(by: Intruder, newest: SeenVersion, what: IntrusionKind): void {
    const id = this.#id()
    this.forged.push(id, `intruded ${id}`)
    const at = EPOCH_MS + Math.floor(this.#world.scheduler.now)
    this.#intrusions[what]({ by, newest, id, at, cluster: this.#map().map.cluster })
  }

  readonly #intrusions: Record<IntrusionKind, (intrusion: Intrusion) => void> = {
    message: (intrusion) => {
      const sealed = messageOf(intrusion)
      this.intruded.push(intrusion.id)
      // It stays out of mailboxes: his own device would find it there and count on from its number.
      if (sealed) this.#push(sealed, intrusion.newest.members, intrusion.at)
    },
    version: (intrusion) => {
      const sealed = versionOf(intrusion)
      if (!sealed) return
      this.#spread(sealed, intrusion.newest.members)
      for (const peer of this.#transport.connectedPeers().filter((name) => name.startsWith('group'))) {
        this.#transport.call(peer, groupPropose, { record: sealed }).catch(() => undefined)
      }
    },
    invitation: (intrusion) => {
      const { by, newest } = intrusion
      const guest = this.#users().find((user) => user !== by.user && !newest.members.includes(user))
      if (guest !== undefined) this.#spread(invitationOf(intrusion, guest), [guest])
    },
  }

  /** Whatever it says, it cannot sign it, and a certificate it can only make up. */
  forgeDeletion({ blob, message, from, to, device }: ForgedDeletion): void {
    const at = EPOCH_MS + Math.floor(this.#world.scheduler.now)
    const { epoch, cluster } = this.#map().map
    const { sign } = keyOf(LIAR)
    const author = { id: this.#id(), from, dev: device, to, at }
    const tombstone = seal({ cluster, header: { k: 'tomb', ...author, target: toHex(message) } as SealedHeader, sign })
    const claim = { k: 'cert', user: from, dev: device, key: '', at, exp: at + 1e9 }
    const certificate = seal({ cluster, header: claim, sign })
    for (const peer of this.#transport.connectedPeers().filter((name) => name.startsWith('store'))) {
      this.#transport.call(peer, mediaUnpin, { epoch, blob, tombstone, certificate }).catch(() => undefined)
    }
  }

  #invented(from: string, to: string, device: string): Uint8Array {
    const id = this.#id()
    const text = `forged ${this.forged.length}`
    this.forged.push(id, text)
    const header: MessageHeader = {
      k: 'msg',
      id,
      from,
      dev: device,
      to,
      at: EPOCH_MS + Math.floor(this.#world.scheduler.now),
      conv: conversationOf(from, to),
      seq: this.#random.between(1, 3),
      ct: 'chat/1',
    }
    return seal({ cluster: this.#map().map.cluster, header, body: encodeContent({ text }), sign: keyOf(LIAR).sign })
  }

  /** `from` is said to have read whatever `to` ever sent from any place of this device. */
  #receipt(from: string, to: string, device: string): Uint8Array {
    const id = this.#id()
    this.forged.push(id)
    const at = EPOCH_MS + Math.floor(this.#world.scheduler.now)
    const place = { conv: conversationOf(from, to), r: [[device, 1, 50]] as [string, number, number][] }
    const header: ReceiptHeader = { k: 'rcpt', id, from, dev: device, to, at, st: 'read', ...place }
    return seal({ cluster: this.#map().map.cluster, header, sign: keyOf(LIAR).sign })
  }

  /** Another text under a true header and its signature. */
  #changed(seen: Uint8Array): { sealed: Uint8Array; users: string[] } {
    const text = `forged ${this.forged.length}`
    this.forged.push(text)
    const { header } = openRecord(seen)
    const head = seen.subarray(0, seen.length - openBody(seen).length)
    return { sealed: concat(head, encodeContent({ text })), users: [header.to, header.from] }
  }

  #misplaced(seen: Uint8Array, to: string): { sealed: Uint8Array; users: string[] } {
    return { sealed: seen, users: [to, String(openHeader(seen).to)] }
  }

  #push(sealed: Uint8Array, users: string[], acceptedAt: number): void {
    for (const peer of this.#transport.connectedPeers().filter((name) => name.startsWith('gateway'))) {
      this.#transport.notify(peer, gatePush, { items: [{ users, sealed, acceptedAt }] })
    }
  }

  #spread(sealed: Uint8Array, users: string[]): void {
    const acceptedAt = EPOCH_MS + Math.floor(this.#world.scheduler.now)
    this.#push(sealed, users, acceptedAt)
    for (const peer of this.#transport.connectedPeers()) {
      if (!peer.startsWith('store') || this.#random.chance(0.4)) continue
      const writes = users.map((user) => ({ mailboxes: [userMailbox(user)], sealed, acceptedAt }))
      const { epoch } = this.#map().map
      for (const write of writes) {
        this.#transport.call(peer, storeAppend, { epoch, writes: [write] }).catch(() => undefined)
      }
    }
  }

  #id(): string {
    return plausibleId(this.#random, this.#world.scheduler.now)
  }
}
