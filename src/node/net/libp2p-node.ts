// The libp2p node of a cluster member: TCP, Noise, Yamux, identify, ping and a private Kademlia DHT. Configuration only.
// The reasons of what differs from libp2p's defaults stand beside each line; the traps are in docs/decisions, "Peers over libp2p".
import { identify, type Identify } from '@libp2p/identify'
import type { Libp2p, PeerId, PrivateKey } from '@libp2p/interface'
import { kadDHT, type KadDHTInit, passthroughMapper, type SingleKadDHT } from '@libp2p/kad-dht'
import { type Ping, ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import type { MemberGate } from './member-gate.ts'
import { peerNoise } from './peer-noise.ts'

const DHT_PROTOCOL = '/chatd/kad/1.0.0'
/** Also the width of look-ups: up to so many routers each one holds every record. */
const BUCKET_SIZE = 20
/** A dialer tries all addresses of a peer within this. */
export const DIAL_MS = 2_000

/** kad-dht declares only the size of its table; removed members must leave it. */
export interface Dht extends SingleKadDHT {
  routingTable: SingleKadDHT['routingTable'] & { remove(peer: PeerId): Promise<void> }
}
export type ChatdLibp2p = Libp2p<{ identify: Identify; ping: Ping; dht: Dht }>

export interface Libp2pNodeOptions {
  privateKey: PrivateKey
  /** Multiaddresses, e.g. /ip4/127.0.0.1/tcp/0. */
  listen: string[]
  isRouter: boolean
  gate: MemberGate
  records: Required<Pick<KadDHTInit, 'validators' | 'selectors'>>
}

/** Made, not started. */
export const createNode = ({ privateKey, listen, isRouter, gate, records }: Libp2pNodeOptions): Promise<ChatdLibp2p> =>
  createLibp2p({
    start: false,
    privateKey,
    addresses: { listen },
    transports: [tcp()],
    connectionEncrypters: [peerNoise()],
    streamMuxers: [yamux()],
    connectionGater: gate.gater,
    // Addresses of connected peers must not age out: after an hour routers would teach newcomers nothing.
    peerStore: { maxAddressAge: Infinity, maxPeerAge: Infinity },
    connectionManager: {
      maxConnections: 1_000,
      // Per host and second; the default of 5 fails when a whole cluster runs on one machine.
      inboundConnectionThreshold: 200,
      maxIncomingPendingConnections: 100,
      inboundUpgradeTimeout: 3_000,
      inboundStreamProtocolNegotiationTimeout: 2_000,
      outboundStreamProtocolNegotiationTimeout: 2_000,
      dialTimeout: DIAL_MS,
      addressDialTimeout: DIAL_MS / 2,
      reconnectRetries: 0, // our dialer never gives up
    },
    // Heartbeats of the RPC streams find a hung peer for a hundredth of the cost: its pings open a stream each time.
    connectionMonitor: { enabled: false },
    services: {
      // Run once a peer is admitted: before, neither side would tell the other anything.
      identify: (components) => identify({ runOnConnectionOpen: false })(gate.guarded(components)),
      ping: (components) => ping()(gate.guarded(components)),
      dht: (components) => kadDHT({ ...dhtInit(isRouter), ...records })(gate.guarded(components)) as Dht, // the class it makes has both
    },
  })

const dhtInit = (isRouter: boolean): KadDHTInit => ({
  protocol: DHT_PROTOCOL,
  clientMode: !isRouter,
  peerInfoMapper: passthroughMapper, // the default drops private and loopback addresses
  kBucketSize: BUCKET_SIZE,
  initialQuerySelfInterval: 1_000,
  querySelfInterval: 300_000,
  // A router that hangs must not hold up every look-up for 5 s, the default.
  networkDialTimeout: { minTimeout: 300, maxTimeout: 800 },
  pingNewContactTimeout: { minTimeout: 300, maxTimeout: 1_000 },
  pingOldContactTimeout: { minTimeout: 300, maxTimeout: 1_000 },
  maxInboundStreams: 1_024,
  maxOutboundStreams: 1_024,
})
