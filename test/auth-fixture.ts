// An authority on in-memory ports for tests: its keys, one view per node, mailboxes that keep certificates in a map, and devices.
import { AuthService, type AuthOptions } from '../src/node/auth/auth-service.ts'
import { ClusterViewKeeper } from '../src/node/core/cluster-view.ts'
import type { ClusterView } from '../src/node/core/ports.ts'
import { MemoryDatabase } from '../src/platform/memory-database.ts'
import { type Clock, type Database, type RandomSource, silentLogger } from '../src/platform/ports.ts'
import { systemClock, systemRandom } from '../src/platform/system.ts'
import { toBase64, toHex } from '../src/protocol/bytes.ts'
import { ChatError } from '../src/protocol/errors.ts'
import { type Certificate, openCertificate } from '../src/protocol/certificate.ts'
import {
  type ClusterMap,
  homeSet,
  type MapNode,
  type Role,
  type SignedMap,
  signMap,
} from '../src/protocol/cluster-map.ts'
import { mailboxOwner } from '../src/protocol/names.ts'
import { peerIdOf } from '../src/protocol/peer-id.ts'
import { deviceIdOf } from '../src/protocol/records.ts'
import { seal } from '../src/protocol/sealed.ts'
import { fastSigner, keyPairFromSeed } from '../src/protocol/signing.ts'
import { MemoryNetwork, type MemoryTransport } from './memory-transport.ts'

export const newKeyPair = () => keyPairFromSeed(Buffer.from(systemRandom.bytes(32)))
const authorityKeys = newKeyPair()
export const authorityKeyPair = authorityKeys
export const cluster = toHex(authorityKeys.publicKey)
const signAsAuthority = fastSigner(authorityKeys.secretKey)

/** A device of tests: its key, and what it signs. */
export const newDevice = () => {
  const { publicKey, secretKey } = newKeyPair()
  const sign = fastSigner(secretKey)
  const dev = deviceIdOf(publicKey)
  const key = toBase64(publicKey)
  const of = (header: { k: string }, inCluster = cluster): Buffer => seal({ cluster: inCluster, header, sign })
  return {
    publicKey,
    dev,
    key,
    seal: of,
    claim: (fields: { name?: string; invite?: string } = {}, at = Date.now()): Buffer =>
      of({ k: 'claim', key, at, ...fields } as { k: string }),
    approve: (user: string, newKey: string): Buffer =>
      of({ k: 'link', user, dev, key: newKey, exp: Date.now() + 60_000 } as { k: string }),
    revoke: (user: string, target: string): Buffer =>
      of({ k: 'revoke', user, dev, target, at: Date.now() } as { k: string }),
  }
}

/** Certificates by user; can be told to fail. */
export class FakeHomes {
  readonly kept = new Map<string, Buffer[]>()
  failNext: Error[] = []
  isAvailable = true

  mustBeAvailable(): void {
    if (!this.isAvailable) throw new ChatError('QUORUM_UNAVAILABLE')
  }

  append({ mailboxes, sealed }: { mailboxes: string[]; sealed: Uint8Array }): Promise<void> {
    const failure = this.failNext.shift()
    if (failure) return Promise.reject(failure)
    const user = mailboxOwner(mailboxes[0] ?? '')
    const known = this.kept.get(user) ?? []
    if (!known.some((each) => each.equals(sealed))) known.push(Buffer.from(sealed))
    this.kept.set(user, known)
    return Promise.resolve()
  }

  certificates(user: string): Promise<Certificate[]> {
    return Promise.resolve((this.kept.get(user) ?? []).map((sealed) => openCertificate(sealed, cluster)))
  }
}

export const mapNode = (name: string, roles: Role[], rest: Partial<MapNode> = {}): MapNode => {
  const { publicKey } = newKeyPair()
  const node = { peer: peerIdOf(publicKey), key: toBase64(publicKey), name, roles, weight: 1, addresses: [] }
  return { ...node, ...rest }
}

export const mapOf = (nodes: MapNode[], change: Partial<ClusterMap> = {}): SignedMap => {
  const map = {
    cluster,
    epoch: 1,
    nodes,
    homes: { current: homeSet([]) },
    retentionMs: 86_400_000,
    revocations: [],
    ...change,
  }
  return signMap(map, signAsAuthority)
}

export interface Member {
  transport: MemoryTransport
  view: ClusterView
  node: MapNode
}

/** A network on which every member keeps its own view of the map. */
export class TestCluster {
  static readonly #running = new Set<TestCluster>()
  readonly network: MemoryNetwork
  readonly #abort = new AbortController()
  readonly #clock: Clock

  constructor(clock: Clock = systemClock) {
    this.network = new MemoryNetwork(clock)
    this.#clock = clock
    TestCluster.#running.add(this)
  }

  /** For after.each: a failed test must not keep its loops. */
  static stopAll(): void {
    for (const world of TestCluster.#running) world.stop()
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  member(node: MapNode, initial: SignedMap): Member {
    const transport = this.network.transport(node.peer)
    const view = new ClusterViewKeeper({
      cluster,
      initial,
      persist: () => {},
      transport,
      clock: this.#clock,
      log: silentLogger,
    })
    view.start(this.signal)
    return { transport, view, node }
  }

  authority(
    { transport, view }: Member,
    ports: { database?: Database; homes?: FakeHomes; clock?: Clock; random?: RandomSource } = {},
    options: AuthOptions = {},
  ): AuthService {
    const {
      database = new MemoryDatabase(),
      homes = new FakeHomes(),
      clock = this.#clock,
      random = systemRandom,
    } = ports
    const all = {
      transport,
      view,
      clock,
      random,
      mailboxes: homes,
      database,
      keyPair: authorityKeys,
      log: silentLogger,
    }
    const auth = new AuthService(all, options)
    auth.start(this.signal)
    return auth
  }

  stop(): void {
    this.#abort.abort()
    TestCluster.#running.delete(this)
  }
}

export const openedCertificate = (sealed: Uint8Array): Certificate => openCertificate(sealed, cluster)
