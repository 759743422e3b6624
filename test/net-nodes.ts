// A cluster of peers for tests: keys from small numbers, maps signed by the test authority, and real libp2p nodes with views.
import { ClusterViewKeeper } from '../src/node/core/cluster-view.ts'
import { Libp2pTransport } from '../src/node/net/libp2p-transport.ts'
import { nodeIdentity } from '../src/node/net/node-identity.ts'
import { silentLogger } from '../src/platform/ports.ts'
import { systemClock } from '../src/platform/system.ts'
import { toBase64, toHex } from '../src/protocol/bytes.ts'
import { homeSet, type MapNode, type Role, type SignedMap, signMap } from '../src/protocol/cluster-map.ts'
import { fastSigner, keyPairFromSeed } from '../src/protocol/signing.ts'

/** 0 is the authority's. */
export const testSeed = (number: number): Uint8Array => new Uint8Array(32).fill(number)
export const testCluster = toHex(keyPairFromSeed(testSeed(0)).publicKey)
export const peerOf = (number: number): string => nodeIdentity(testSeed(number)).peer

export interface TestMember {
  number: number
  addresses: string[]
  roles?: Role[]
}
const mapNode = ({ number, addresses, roles = ['router', 'store'] }: TestMember): MapNode => {
  const { peer, publicKey } = nodeIdentity(testSeed(number))
  return { peer, key: toBase64(publicKey), name: `node-${number}`, roles, weight: 1, addresses }
}

export const signedMap = (epoch: number, members: TestMember[], authority = testSeed(0)): SignedMap => {
  const nodes = members.map(mapNode)
  const homes = { current: homeSet(nodes.map((node) => node.peer)) }
  return signMap(
    { cluster: testCluster, epoch, nodes, homes, retentionMs: 1_000, revocations: [] },
    fastSigner(authority),
  )
}

export interface TestNode {
  number: number
  peer: string
  transport: Libp2pTransport
  view: ClusterViewKeeper
  persisted: Uint8Array[]
  member: TestMember
  stop(): Promise<void>
}
export interface TestNodeOptions {
  number: number
  map: SignedMap
  listen?: string
  roles?: Role[]
}

export const startTestNode = async ({
  number,
  map,
  roles = ['router', 'store'],
  listen,
}: TestNodeOptions): Promise<TestNode> => {
  const persisted: Uint8Array[] = []
  const stopping = new AbortController()
  const transport: Libp2pTransport = new Libp2pTransport({
    seed: testSeed(number),
    listen: [listen ?? '/ip4/127.0.0.1/tcp/0'],
    view: () => view,
    clock: systemClock,
    log: silentLogger,
    isRouter: roles.includes('router'),
  })
  const view = new ClusterViewKeeper({
    cluster: testCluster,
    initial: map,
    persist: (sealed) => void persisted.push(sealed),
    transport,
    clock: systemClock,
    log: silentLogger,
  })
  view.start(stopping.signal)
  try {
    await transport.start(stopping.signal)
  } catch (error) {
    stopping.abort()
    throw error
  }
  const member = { number, addresses: transport.addresses(), roles }
  const stop = async (): Promise<void> => {
    stopping.abort()
    await transport.stop()
  }
  return { number, peer: transport.self, transport, view, persisted, member, stop }
}

/** Nodes that start without knowing each other's ports, and then all adopt the map of epoch 2. */
export const startTestCluster = async (numbers: number[]): Promise<TestNode[]> => {
  const nodes: TestNode[] = []
  for (const number of numbers) nodes.push(await startTestNode({ number, map: signedMap(1, []) }))
  const { sealed } = signedMap(
    2,
    nodes.map((node) => node.member),
  )
  for (const node of nodes) node.view.adopt(sealed)
  return nodes
}

export const areConnected = (nodes: TestNode[]): boolean =>
  nodes.every((node) => nodes.every((other) => node.transport.isConnected(other.peer)))
