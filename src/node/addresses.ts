// Addresses of a node: parsing HOST:PORT, finding free ports, and what to announce of a multiaddress that listens everywhere.
// A port that was picked is remembered by the caller, so that a restart keeps it.
import { createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import { ChatError } from '../protocol/errors.ts'

export interface HostPort {
  host: string
  port: number
}

const MAX_PORT = 65_535
/** How far "the next free port" looks. */
const PORTS_TO_TRY = 200

/** `127.0.0.1:7400`, `[::1]:7400`, `:7400`; USAGE. */
export const parseHostPort = (text: string): HostPort => {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(text)
  const port = Number(match?.[3])
  if (!match || port > MAX_PORT) {
    throw new ChatError('USAGE', { message: `${JSON.stringify(text)} is no HOST:PORT, for example 127.0.0.1:7400` })
  }
  return { host: match[1] ?? (match[2] || '127.0.0.1'), port }
}

export const formatHostPort = ({ host, port }: HostPort): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`

/** Binds and lets go at once; undefined when it is taken. Port 0 picks one. */
const probe = ({ host, port }: HostPort): Promise<number | undefined> =>
  new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(undefined))
    server.listen({ host, port, exclusive: true }, () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : undefined))
    })
  })

/** The system gives out a port again as soon as it is let go, and a node picks several before it listens on the first. */
const picked = new Set<number>()

/** The address with a port that is free now: a given one as it is, 0 replaced by one that was not picked here before. PORT_IN_USE. */
export const pickPort = async (wanted: HostPort): Promise<HostPort> => {
  if (wanted.port !== 0) return wanted
  let port = await probe(wanted)
  for (let tries = 1; port !== undefined && picked.has(port) && tries < PORTS_TO_TRY; tries++)
    port = await probe(wanted)
  if (port === undefined)
    throw new ChatError('PORT_IN_USE', {
      message: `${wanted.host} cannot be listened on; is it an address of this machine?`,
    })
  picked.add(port)
  return { host: wanted.host, port }
}

/** The first free port from `wanted.port` on. */
export const nextFreePort = async (wanted: HostPort): Promise<HostPort> => {
  for (let port = wanted.port; port < wanted.port + PORTS_TO_TRY; port++) {
    if ((await probe({ host: wanted.host, port })) !== undefined) return { host: wanted.host, port }
  }
  return pickPort({ host: wanted.host, port: 0 })
}

const LISTEN = /^\/(ip4|ip6)\/([^/]+)\/tcp\/(\d{1,5})$/

/** `/ip4/HOST/tcp/0` with a free port in place of 0. USAGE. */
export const pickListenPort = async (multiaddr: string): Promise<string> => {
  const match = LISTEN.exec(multiaddr)
  if (!match)
    throw new ChatError('USAGE', {
      message: `${JSON.stringify(multiaddr)} is no address to listen on, for example /ip4/127.0.0.1/tcp/4001`,
    })
  const [, family, host = '', port] = match
  return `/${family}/${host}/tcp/${(await pickPort({ host, port: Number(port) })).port}`
}

/** Where others reach what listens at `multiaddr`: the addresses of all interfaces when it listens on all. */
export const announced = (multiaddr: string): string[] => {
  const match = LISTEN.exec(multiaddr)
  const [, family, host = '', port] = match ?? []
  if (host !== '0.0.0.0' && host !== '::') return [multiaddr]
  return interfaceHosts(family === 'ip6' ? 'IPv6' : 'IPv4').map((address) => `/${family}/${address}/tcp/${port}`)
}

/** The host of an address that was settled. */
export const hostOf = (multiaddr: string): string => LISTEN.exec(multiaddr)?.[2] ?? '127.0.0.1'

/** Where others reach what listens at this host. */
export const reachableHost = (host: string): string =>
  host === '0.0.0.0' || host === '::' ? (interfaceHosts('IPv4')[0] ?? '127.0.0.1') : host

const interfaceHosts = (family: 'IPv4' | 'IPv6'): string[] => {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  const usable = all.filter((address) => address.family === family && !address.address.startsWith('fe80'))
  const outside = usable.filter((address) => !address.internal)
  return (outside.length > 0 ? outside : usable).map((address) => address.address)
}
