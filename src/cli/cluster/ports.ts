// Picks TCP ports for the nodes of a local cluster: below the range from which the kernel takes ports of outgoing
// connections, so that a node that was down for a while finds its port free again.
import { randomInt } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { ChatError } from '../../protocol/errors.ts'

const LOWEST = 20_000
const LINUX_DEFAULT = 32_768
const TRIES = 200

const firstEphemeralPort = (): number => {
  try {
    return Number(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split(/\s/)[0]) || LINUX_DEFAULT
  } catch {
    return LINUX_DEFAULT
  }
}

export const isPortFree = (port: number, host = '127.0.0.1'): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)))
  })

/** Different free ports of loopback, none of `taken`. */
export const pickPorts = async (count: number, taken: Iterable<number> = []): Promise<number[]> => {
  const below = firstEphemeralPort()
  const [from, to] = below > LOWEST + 1_000 ? [LOWEST, below] : [10_000, 65_000]
  const used = new Set(taken)
  const ports: number[] = []
  for (let tries = 0; ports.length < count; tries++) {
    if (tries > TRIES + 10 * count) throw new ChatError('PORT_IN_USE', { message: 'No free ports were found' })
    const port = randomInt(from, to)
    if (used.has(port) || !(await isPortFree(port))) continue
    used.add(port)
    ports.push(port)
  }
  return ports
}

/** `first`, or the next free port after it. */
export const nextFreePort = async (first: number): Promise<number> => {
  for (let port = first; port < first + 100; port++) if (await isPortFree(port)) return port
  throw new ChatError('PORT_IN_USE', { message: `None of the ports ${first} to ${first + 99} is free` })
}
