// From a data directory to a member of a cluster: a directory that joined just goes on; one with the authority's key begins its
// cluster; one with a ticket joins; an empty one with all roles becomes a cluster of one. Also settles name and addresses for good.
import { decodeTicket } from './auth/join-proof.ts'
import { withNode } from './auth/joins.ts'
import type { NodeIdentity } from './core/ports.ts'
import type { DataFiles, NodeSettings } from './data-files.ts'
import { joinCluster } from './join-client.ts'
import type { RandomSource } from '../platform/ports.ts'
import { toBase64, toHex } from '../protocol/bytes.ts'
import {
  type ClusterMap,
  homeSet,
  type MapNode,
  nodeOf,
  openMap,
  type Role,
  roles as allRoles,
  type SignedMap,
  signMap,
} from '../protocol/cluster-map.ts'
import { ChatError } from '../protocol/errors.ts'
import { limits } from '../protocol/limits.ts'
import { isNodeName } from '../protocol/names.ts'
import { fastSigner, type KeyPair, keyPairFromSeed } from '../protocol/signing.ts'
import {
  type AddressWishes,
  type Doors,
  type PeerAddresses,
  settleDoors,
  settlePeerAddresses,
} from './settled-addresses.ts'

const SEED_BYTES = 32

/** What the operator asked for; what is absent is remembered from the last start or chosen. */
export interface NodeWishes extends AddressWishes {
  name?: string | undefined
  roles?: Role[] | undefined
  /** A ticket. */
  join?: string | undefined
}

export interface Membership {
  name: string
  roles: Role[]
  listen: string[]
  doors: Doors
  /** To be remembered once the node serves. */
  settings: NodeSettings
  map: SignedMap
  /** There on the node that holds the authority's key. */
  authority?: KeyPair
  /** How this node is to stand in the map. */
  self: MapNode
}

export interface MembershipPorts {
  files: DataFiles
  identity: NodeIdentity
  random: RandomSource
}

/** Makes a cluster in this directory: the authority's key and the first map. CLUSTER_STATE if there is one. */
export const initCluster = ({ files, random }: Pick<MembershipPorts, 'files' | 'random'>, name?: string): string => {
  const { cluster } = files.settings()
  if (files.authoritySeed() || cluster) {
    throw new ChatError('CLUSTER_STATE', {
      message: `${files.dir} belongs to a cluster already; start it with chatd start --data ${files.dir}, or choose another directory`,
    })
  }
  mustBeNodeName(name)
  const seed = Buffer.from(random.bytes(SEED_BYTES))
  files.writeAuthoritySeed(seed)
  files.nodeSeed(() => random.bytes(SEED_BYTES))
  return ensureFirstMap(files, keyPairFromSeed(seed), name).map.cluster
}

/** A crash between key and map leaves a directory that this completes. */
const ensureFirstMap = (files: DataFiles, authority: KeyPair, name?: string): SignedMap => {
  const cluster = toHex(authority.publicKey)
  files.remember({ cluster, ...(name === undefined ? {} : { name }) })
  const empty: ClusterMap = {
    cluster,
    epoch: 1,
    nodes: [],
    homes: { current: homeSet([]) },
    retentionMs: limits.defaultRetentionMs,
    revocations: [],
  }
  const map = signMap(empty, fastSigner(authority.secretKey))
  files.writeMap(map.sealed)
  return map
}

/** Every start ends here: DATA_DIRECTORY, CLUSTER_STATE, AUTH_TICKET, AUTH_CLUSTER, PORT_IN_USE, USAGE. */
export const becomeMember = async (ports: MembershipPorts, wishes: NodeWishes): Promise<Membership> => {
  const { files, identity } = ports
  mustBeNodeName(wishes.name)
  mustHaveAWayIn(ports, wishes)
  const { addresses, ...listening } = await settlePeerAddresses(files, wishes)
  const map = files.map() ? knownMap(files, wishes) : await enter(ports, wishes, { addresses, ...listening })
  const authoritySeed = files.authoritySeed()
  const authority = authoritySeed && keyPairFromSeed(authoritySeed)
  const known = nodeOf(map.map, identity.peer)
  const roles = authority ? (wishes.roles ?? known?.roles ?? []) : (known?.roles ?? [])
  checkRoles(wishes, { roles, known, files, isAuthority: authority !== undefined })
  const name = keptName(known?.name ?? files.settings().name, wishes.name) ?? 'main'
  const self: MapNode = {
    peer: identity.peer,
    key: toBase64(identity.publicKey),
    name,
    roles,
    weight: known?.weight ?? 1,
    addresses,
    ...(authority ? { authority: true } : {}),
  }
  const doors = await settleDoors(files, wishes, {
    isGateway: roles.includes('gateway'),
    isAuthority: authority !== undefined,
    listen: listening.listen,
  })
  const isFirst = authority && map.map.nodes.length === 0
  const settings = { cluster: map.map.cluster, name, roles, ...listening, ...doors }
  const member = { name, roles, listen: listening.listen, doors, settings, self }
  return {
    ...member,
    map: isFirst ? foundCluster(files, map, { self, authority }) : map,
    ...(authority ? { authority } : {}),
  }
}

/** Others know a node by its name: it is given once. CLUSTER_STATE. */
const keptName = (kept: string | undefined, wish: string | undefined): string | undefined => {
  if (kept !== undefined && wish !== undefined && wish !== kept) {
    throw new ChatError('CLUSTER_STATE', {
      message: `This node is named ${kept} for good; leave out --name (and CHATD_NAME), or choose another directory with --data`,
    })
  }
  return kept ?? wish
}

const mustBeNodeName = (name: string | undefined): void => {
  if (name !== undefined && !isNodeName(name)) throw new ChatError('AUTH_NAME_ILLEGAL')
}

/** Checked before anything is written, so that a wrong command leaves nothing behind. */
const mustHaveAWayIn = ({ files, random }: MembershipPorts, { roles, join, name }: NodeWishes): void => {
  if (files.map() || join !== undefined) return
  const seed = files.authoritySeed()
  if (seed) ensureFirstMap(files, keyPairFromSeed(seed), name)
  else if (roles?.length === allRoles.length) initCluster({ files, random }, name)
  else {
    throw new ChatError('CLUSTER_STATE', {
      message: `${files.dir} belongs to no cluster yet; make one with chatd init, join one with --join TICKET, or start a cluster of one with --role all`,
    })
  }
}

const knownMap = (files: DataFiles, { join }: NodeWishes): SignedMap => {
  const { cluster } = files.settings()
  const sealed = files.map()
  if (!cluster || !sealed)
    throw new ChatError('DATA_DIRECTORY', { message: `${files.dir} does not say to which cluster it belongs` })
  if (join !== undefined && decodeTicket(join).cluster !== cluster) {
    throw new ChatError('AUTH_CLUSTER', {
      message: `${files.dir} belongs to another cluster than the ticket; choose another with --data`,
    })
  }
  try {
    return openMap(sealed, cluster)
  } catch (cause) {
    throw new ChatError('DATA_DIRECTORY', {
      message: `The cluster map in ${files.dir} is damaged; restore the directory from a copy`,
      cause,
    })
  }
}

const enter = async (
  { files, identity, random }: MembershipPorts,
  wishes: NodeWishes,
  { addresses, ...listening }: PeerAddresses,
): Promise<SignedMap> => {
  const ticket = decodeTicket(wishes.join ?? '')
  const name = wishes.name ?? files.settings().name
  const about = { addresses, weight: 1, ...(name === undefined ? {} : { name }) }
  const map = await joinCluster({ ticket, identity, random, about, roles: wishes.roles })
  // The map names these addresses now: they are kept even if this start fails.
  files.remember({ cluster: ticket.cluster, ...listening })
  files.writeMap(map.sealed)
  return map
}

export const removedError = (directory: string): ChatError =>
  new ChatError('CLUSTER_STATE', {
    message: `This node was removed from its cluster; join again with a new directory (--data) and a new ticket, not ${directory}`,
  })

interface RoleCheck {
  roles: Role[]
  known: MapNode | undefined
  files: DataFiles
  isAuthority: boolean
}
const checkRoles = (wishes: NodeWishes, { roles, known, files, isAuthority }: RoleCheck): void => {
  if (!isAuthority && !known) {
    throw removedError(files.dir)
  }
  if (roles.length === 0)
    throw new ChatError('USAGE', { message: 'Say what this node is to do: --role gateway, router, store or all' })
  const asked = wishes.roles
  if (asked && [...asked].sort().join() !== [...roles].sort().join()) {
    throw new ChatError('CLUSTER_STATE', {
      message: `This node joined as ${roles.join(',')}; for ${asked.join(',')} it needs a ticket of its own and another directory`,
    })
  }
}

/** The first node of a cluster is in the map before it serves, so that it never serves as a stranger. */
const foundCluster = (
  files: DataFiles,
  { map }: SignedMap,
  { self, authority }: { self: MapNode; authority: KeyPair },
): SignedMap => {
  const next = signMap({ ...withNode(map, self), epoch: map.epoch + 1 }, fastSigner(authority.secretKey))
  files.writeMap(next.sealed)
  return next
}
