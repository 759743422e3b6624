// A running node: opens its directory, becomes a member, wires transport, services and doors, and starts them in order.
// It never waits for other nodes. Everything it opened it closes again, also when a start fails half way.
import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import { formatHostPort, parseHostPort, reachableHost } from './addresses.ts'
import { AddressKeeper } from './address-keeper.ts'
import { ClusterViewKeeper } from './core/cluster-view.ts'
import { type Service, ServiceGroup } from './core/service.ts'
import { DataFiles } from './data-files.ts'
import { becomeMember, type Membership, type NodeWishes } from './membership.ts'
import { Libp2pTransport } from './net/libp2p-transport.ts'
import { nodeIdentity } from './net/node-identity.ts'
import { webSocketListener } from './net/websocket-listener.ts'
import { NodeDoors } from './node-doors.ts'
import { NodeStatusReporter } from './node-status.ts'
import { Standing } from './standing.ts'
import { buildServices, type NodeServices } from './roles.ts'
import { fileError } from '../platform/file-error.ts'
import type { Database, Logger } from '../platform/ports.ts'
import { systemClock, systemRandom } from '../platform/system.ts'
import type { Role } from '../protocol/cluster-map.ts'
import { ChatError } from '../protocol/errors.ts'

const SEED_BYTES = 32

export interface NodeConfig extends NodeWishes {
  data: string
  openRegistration: boolean
  /** Paths of PEM files. */
  tls?: { cert: string; key: string } | undefined
  insecureWs: boolean
  /** Bytes of the largest attachment that a gateway takes, and what one user's uploads may take on a media home. */
  maxBlob?: number | undefined
  blobQuota?: number | undefined
  /** Members that a group may have. */
  maxMembers?: number | undefined
  /** Where clients outside reach this gateway, when that is not where it listens. */
  publicWs?: string | undefined
  /** File with other addresses to dial, see net/dial-via.ts. */
  dialVia?: string | undefined
  /** Made once the node has a name. */
  log: (node: string) => Logger
}

/** What the ready line says. */
export interface ReadyNode {
  node: string
  peerId: string
  roles: Role[]
  /** Gateways only. */
  ws?: string
  admin: string
  listen: string[]
}

export interface RunningNode {
  ready: ReadyNode
  log: Logger
  /** Stops taking clients, hands over, closes everything. */
  stop(): Promise<void>
}

/** Resolves when it serves. DATA_DIRECTORY, PROFILE_PERMISSIONS, CLUSTER_STATE, AUTH_TICKET, PORT_IN_USE, NET_INSECURE, USAGE. */
export const startNode = async (config: NodeConfig): Promise<RunningNode> => {
  const files = new DataFiles(config.data)
  const lock = await files.lock()
  const opened: Database[] = [lock]
  const close = async (): Promise<void> => {
    files.writeAdmin(undefined)
    for (const database of opened.splice(0).reverse()) await database.close()
  }
  try {
    return await startLocked(config, { files, opened, close })
  } catch (error) {
    await close()
    throw error
  }
}

interface OpenData {
  files: DataFiles
  /** Databases to close after everything has stopped. */
  opened: Database[]
  close: () => Promise<void>
}

const startLocked = async (config: NodeConfig, { files, opened, close }: OpenData): Promise<RunningNode> => {
  const seed = files.nodeSeed(() => systemRandom.bytes(SEED_BYTES))
  const identity = nodeIdentity(seed)
  const member = await becomeMember({ files, identity, random: systemRandom }, config)
  const log = config.log(member.name)
  const transport: Libp2pTransport = new Libp2pTransport({
    seed,
    listen: member.listen,
    view: () => view,
    clock: systemClock,
    log,
    isRouter: member.roles.includes('router'),
    ...(config.dialVia === undefined ? {} : { dialVia: config.dialVia }),
  })
  const view = new ClusterViewKeeper({
    cluster: member.map.map.cluster,
    initial: member.map,
    persist: (sealed) => files.writeMap(sealed),
    transport,
    clock: systemClock,
    log,
  })
  const database = member.authority && (await files.disk().openDatabase('auth'))
  if (database) opened.push(database)
  const { certificateCache } = transport
  const disk = files.disk()
  const [clock, random, blobs] = [systemClock, systemRandom, files.blobs()]
  const ports = { transport, view, identity, clock, random, disk, blobs, log, certificateCache }
  const built = buildServices(
    member.roles,
    {
      ...ports,
      ...(member.doors.ws === undefined ? {} : { listener: clientListener(config, member.doors.ws) }),
      ...(member.authority && database ? { authority: { keyPair: member.authority, database } } : {}),
    },
    {
      auth: { openRegistration: config.openRegistration, self: member.self },
      gateway: { ...publicUrlOf(config, member), ...given({ maxFileBytes: config.maxBlob }) },
      media: given({ quotaBytes: config.blobQuota }),
      groups: given({ maxMembers: config.maxMembers }),
    },
  )
  const reporter = new NodeStatusReporter({
    transport,
    view,
    clock: systemClock,
    built,
    queueDepths: () => transport.queueDepths(),
  })
  const doors = new NodeDoors({ files, member, built, reporter, transport, view })
  // Stores and routers answer peers, so they are there before the first peer is; the others ask peers.
  const answering = built.services.filter((service) => isOneOf(service, [built.store, built.media, built.router]))
  const asking = built.services.filter((service) => !answering.includes(service))
  const { addresses } = member.self
  const keeper = new AddressKeeper({ transport, view, clock: systemClock, log, addresses })
  const isAuthority = member.authority !== undefined
  const standing = new Standing({ transport, view, clock: systemClock, log, directory: files.dir, isAuthority })
  const services = [view, ...answering, transport, standing, ...asking, keeper, doors]
  const group = new ServiceGroup(services, { clock: systemClock, log })
  reporter.start()
  await group.start()
  files.remember(member.settings)
  watchMembership(view, member, log)
  return {
    ready: readyLine(member, { transport, built, admin: doors.adminUrl }),
    log,
    stop: async () => {
      reporter.drain()
      await group.stop()
      await close()
    },
  }
}

const isOneOf = (service: Service, some: (Service | undefined)[]): boolean => some.includes(service)

/** Without what the operator did not say. */
const given = <T extends Record<string, number | undefined>>(options: T): Partial<Record<keyof T, number>> =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<
    Record<keyof T, number>
  > // the same keys

/** Clients are told where gateways are: never that one is everywhere. */
const publicUrlOf = ({ publicWs, tls }: NodeConfig, { doors }: Membership): { publicUrl?: string } => {
  if (publicWs !== undefined) return { publicUrl: publicWs }
  if (doors.ws === undefined) return {}
  const { host, port } = parseHostPort(doors.ws)
  const reachable = reachableHost(host)
  return reachable === host ? {} : { publicUrl: `${tls ? 'wss' : 'ws'}://${formatHostPort({ host: reachable, port })}` }
}

const clientListener = ({ tls, insecureWs }: NodeConfig, ws: string): ReturnType<typeof webSocketListener> => {
  const read = (path: string): Buffer => {
    try {
      return readFileSync(path)
    } catch (cause) {
      throw fileError(path, cause)
    }
  }
  const pem = tls && { cert: read(tls.cert), key: read(tls.key) }
  try {
    if (pem) createSecureContext(pem)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new ChatError('USAGE', {
      message: `--tls-cert and --tls-key are no PEM certificate with its key: ${why}`,
      cause,
    })
  }
  return webSocketListener({ ...parseHostPort(ws), insecure: insecureWs, ...(pem ? { tls: pem } : {}) })
}

const readyLine = (
  { name, roles }: Membership,
  { transport, built, admin }: { transport: Libp2pTransport; built: NodeServices; admin: string },
): ReadyNode => {
  const ws = built.gateway?.url
  return {
    node: name,
    peerId: transport.self,
    roles,
    ...(ws === undefined ? {} : { ws }),
    admin,
    listen: transport.addresses(),
  }
}

/** A node that was taken out of the map runs on and does nothing: its operator should know why. */
const watchMembership = (view: ClusterViewKeeper, member: Membership, log: Logger): void => {
  view.watch(({ map }) => {
    if (map.nodes.some((node) => node.peer === member.self.peer)) return
    log.error(
      { epoch: map.epoch },
      'this node was removed from the cluster; it can be stopped and its directory deleted',
    )
  })
}
