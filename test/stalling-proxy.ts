// A TCP proxy that can stop passing bytes while its connections stay open: what a hung or cut-off peer looks like.
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface StallingProxy {
  port: number
  /** Where connections go; may change. */
  target: number
  stall(): void
  resume(): void
  close(): Promise<void>
}

export const stallingProxy = async (): Promise<StallingProxy> => {
  const sockets = new Set<Socket>()
  let isStalled = false
  const server = createServer((client) => {
    const upstream = connect(proxy.target, '127.0.0.1')
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from)
      from.on('error', () => {})
      from.on('data', (chunk) => void to.write(chunk))
      from.on('close', () => {
        sockets.delete(from)
        if (!isStalled) to.destroy()
      })
      if (isStalled) from.pause()
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const proxy: StallingProxy = {
    port: (server.address() as AddressInfo).port, // it listens on TCP
    target: 0,
    stall: () => {
      isStalled = true
      for (const socket of sockets) socket.pause()
    },
    resume: () => {
      isStalled = false
      for (const socket of sockets) socket.resume()
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
  return proxy
}
