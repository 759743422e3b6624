// Which addresses a node uses: what the operator says, else what it used last time, else the default. Ports 0 become real ones.
// It remembers nothing: that is done once they served, so that a wrong flag is not kept.
import {
  announced,
  formatHostPort,
  hostOf,
  nextFreePort,
  parseHostPort,
  pickListenPort,
  pickPort,
} from './addresses.ts'
import type { DataFiles } from './data-files.ts'
import { isLoopback } from './net/listen-error.ts'
import { ChatError } from '../protocol/errors.ts'

const DEFAULT_LISTEN = '/ip4/127.0.0.1/tcp/0'
const DEFAULT_WS = '127.0.0.1:7400'
const ANY_LOOPBACK_PORT = '127.0.0.1:0'

export interface AddressWishes {
  listen?: string[] | undefined
  announce?: string[] | undefined
  ws?: string | undefined
  admin?: string | undefined
  joinListen?: string | undefined
}

export interface PeerAddresses {
  listen: string[]
  /** What the operator wants announced in place of it. */
  announce?: string[]
  /** What the map is to say. */
  addresses: string[]
}

/** Where this node listens for peers, and what the map is to say about it. USAGE, PORT_IN_USE. */
export const settlePeerAddresses = async (files: DataFiles, wishes: AddressWishes): Promise<PeerAddresses> => {
  const known = files.settings()
  const wanted = wishes.listen ?? known.listen ?? [DEFAULT_LISTEN]
  const listen: string[] = []
  for (const [index, address] of wanted.entries()) {
    listen.push(await pickListenPort(samePort(address, known.listen?.[index]) ?? address))
  }
  const announce = wishes.announce ?? known.announce
  return { listen, addresses: announce ?? listen.flatMap(announced), ...(announce ? { announce } : {}) }
}

/** Asking for port 0 again where a port was picked before means that port. */
const samePort = (wanted: string, known: string | undefined): string | undefined =>
  known !== undefined && wanted.endsWith('/tcp/0') && known.replace(/\/tcp\/\d+$/, '/tcp/0') === wanted
    ? known
    : undefined

/** HOST:PORT of what is not for peers; a door that this node does not have is absent. */
export interface Doors {
  /** For clients. */
  ws?: string
  admin: string
  /** For joining nodes. */
  join?: string
}

export const settleDoors = async (
  files: DataFiles,
  wishes: AddressWishes,
  { isGateway, isAuthority, listen }: { isGateway: boolean; isAuthority: boolean; listen: string[] },
): Promise<Doors> => {
  const known = files.settings()
  mustBeLoopback(wishes.admin)
  const doors: Doors = { admin: await settle(wishes.admin, known.admin, ANY_LOOPBACK_PORT) }
  // Whoever can reach this node as a peer can join there.
  const joinHost = listen[0] === undefined ? '127.0.0.1' : hostOf(listen[0])
  const anyJoinPort = formatHostPort({ host: joinHost, port: 0 })
  if (isAuthority) doors.join = await settle(wishes.joinListen, known.join, anyJoinPort)
  if (isGateway) {
    const isGiven = wishes.ws !== undefined || known.ws !== undefined
    const otherwise = isGiven ? DEFAULT_WS : formatHostPort(await nextFreePort(parseHostPort(DEFAULT_WS)))
    doors.ws = await settle(wishes.ws, known.ws, otherwise)
  }
  return doors
}

/** Plain HTTP, and whoever reads its token has the cluster. */
const mustBeLoopback = (admin: string | undefined): void => {
  if (admin === undefined || isLoopback(parseHostPort(admin).host)) return
  throw new ChatError('NET_INSECURE', {
    message: `--admin ${admin} is not on this machine, and it speaks plain HTTP; use 127.0.0.1, from elsewhere through a tunnel (ssh -L)`,
  })
}

const settle = async (wish: string | undefined, known: string | undefined, otherwise: string): Promise<string> => {
  const given = parseHostPort(wish ?? known ?? otherwise)
  const had = known === undefined ? undefined : parseHostPort(known)
  if (given.port === 0 && had?.host === given.host) return formatHostPort(had)
  return formatHostPort(await pickPort(given))
}
