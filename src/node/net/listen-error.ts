// What goes wrong when a server takes its port, as one clear error.
import { ChatError } from '../../protocol/errors.ts'

/** libp2p says it in its text only. */
const isInUse = (error: unknown): boolean =>
  error instanceof Error && (('code' in error && error.code === 'EADDRINUSE') || error.message.includes('EADDRINUSE'))

/** PORT_IN_USE, or USAGE when the address is not one of this machine's or needs rights. */
export const listenError = (error: unknown, address: string): ChatError => {
  if (isInUse(error)) {
    return new ChatError('PORT_IN_USE', {
      message: `${address} is in use; choose another address or end the process that has it`,
      details: { address },
      cause: error,
    })
  }
  const reason = error instanceof Error ? error.message : String(error)
  return new ChatError('USAGE', {
    message: `Cannot listen on ${address}: ${reason}`,
    details: { address },
    cause: error,
  })
}

/** Of a host name or address as people write it; 0.0.0.0 and :: are not. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host)

export const hostPort = (host: string, port: number): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
