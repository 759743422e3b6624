// The only place where services are wired: from roles and ports to an ordered list of services and handles for status.
// The real program and the simulator build their nodes here; it opens nothing and starts nothing.
import type { BlobStore, Clock, Database, Disk, Logger, RandomSource } from '../platform/ports.ts'
import type { Role } from '../protocol/cluster-map.ts'
import type { KeyPair } from '../protocol/signing.ts'
import { AuthService, type AuthOptions } from './auth/auth-service.ts'
import type { CertificateCache, ClientListener, ClusterView, NodeIdentity, PeerTransport } from './core/ports.ts'
import type { Service } from './core/service.ts'
import { GatewayService, type GatewayOptions } from './gateway/gateway-service.ts'
import { MediaService, type MediaOptions } from './media/media-service.ts'
import { type GroupOptions, GroupService } from './group/group-service.ts'
import { GroupLedger } from './replication/group-ledger.ts'
import { Mailboxes } from './replication/mailboxes.ts'
import { RouterService } from './router/router-service.ts'
import { StoreService, type StoreOptions } from './store/store-service.ts'

export interface NodePorts {
  transport: PeerTransport
  view: ClusterView
  clock: Clock
  random: RandomSource
  identity: NodeIdentity
  disk: Disk
  /** Files of attachments. */
  blobs: BlobStore
  /** Where clients connect: only a gateway has one. */
  listener?: ClientListener
  log: Logger
  /** The DHT: certificates are found there when too few of their homes answer. */
  certificateCache?: CertificateCache
  /** There on the one node that holds the authority key. */
  authority?: { keyPair: KeyPair; database: Database }
}

export interface NodeOptions {
  gateway?: GatewayOptions
  store?: StoreOptions
  media?: MediaOptions
  auth?: AuthOptions
  groups?: GroupOptions
}

export interface NodeServices {
  /** In the order of starting. */
  services: Service[]
  mailboxes: Mailboxes
  store?: StoreService
  media?: MediaService
  router?: RouterService
  gateway?: GatewayService
  auth?: AuthService
  groups?: GroupService
}

/** What a node of these roles runs. Stores keep attachments too, as long as no nodes are there for nothing else. */
export const buildServices = (roles: Role[], ports: NodePorts, options: NodeOptions = {}): NodeServices => {
  const { transport, view, clock, random, identity, disk, blobs, listener, log, authority } = ports
  const mailboxes = new Mailboxes({ transport, view, clock, log }, ports.certificateCache)
  const built: NodeServices = { services: [], mailboxes }

  if (roles.includes('store') || roles.includes('messages')) {
    built.store = new StoreService({ transport, view, clock, random, disk, log }, options.store)
    built.services.push(built.store)
  }
  if (roles.some((role) => role === 'store' || role === 'messages' || role === 'media')) {
    built.media = new MediaService({ transport, view, clock, disk, blobs, log }, options.media)
    built.services.push(built.media)
  }
  if (roles.includes('router')) {
    built.router = new RouterService({ transport, view, clock, log })
    built.services.push(built.router)
  }
  if (authority) {
    built.auth = new AuthService({ transport, view, clock, random, mailboxes, log, ...authority }, options.auth)
    built.services.push(built.auth)
  }
  if (roles.includes('group')) {
    const ledger = new GroupLedger({ transport, view, clock, random, log }, mailboxes.homes)
    built.groups = new GroupService({ transport, view, clock, ledger, mailboxes, log }, options.groups)
    built.services.push(built.groups)
  }
  if (roles.includes('gateway') && listener) {
    const gatewayPorts = { transport, view, clock, random, identity, listener, mailboxes, log }
    built.gateway = new GatewayService(gatewayPorts, options.gateway)
    built.services.push(built.gateway)
  }
  return built
}
