// The Dial port over WebSockets: the only file of the client that knows ws. Refuses plain ws:// beyond this machine
// unless it is asked for. Nothing of ws crosses the port.
import { type ClientOptions, WebSocket } from 'ws'
import { ChatError } from '../protocol/errors.ts'
import { SUBPROTOCOL } from '../protocol/handshake.ts'
import type { Dial, GatewayLink, GatewayLinkHandlers } from './ports.ts'

const HANDSHAKE_TIMEOUT_MS = 5_000
/** A peer that never answers a close frame would keep the socket, and the process, for 30 s. */
const CLOSE_TIMEOUT_MS = 500
/** A page of the feed is the largest frame a gateway sends. */
const MAX_FRAME_BYTES = 4 * 1024 * 1024
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/

export interface WebSocketDialOptions {
  /** Allows ws:// to other machines. */
  insecure?: boolean
}

/** USAGE for what is no gateway's address, NET_INSECURE for ws:// to another machine. */
export const checkGatewayUrl = (url: string, { insecure = false }: WebSocketDialOptions = {}): void => {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (!parsed || (parsed.protocol !== 'ws:' && parsed.protocol !== 'wss:')) {
    throw new ChatError('USAGE', {
      message: `${JSON.stringify(url)} is no address of a gateway, like ws://127.0.0.1:7400`,
    })
  }
  if (parsed.protocol === 'ws:' && !insecure && !LOOPBACK.test(parsed.hostname)) throw new ChatError('NET_INSECURE')
}

export const webSocketDial =
  (options: WebSocketDialOptions = {}): Dial =>
  (url, handlers, signal) => {
    checkGatewayUrl(url, options)
    return open(url, handlers, signal)
  }

const open = (url: string, handlers: GatewayLinkHandlers, signal: AbortSignal | undefined): Promise<GatewayLink> =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(url, SUBPROTOCOL, {
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      closeTimeout: CLOSE_TIMEOUT_MS,
      maxPayload: MAX_FRAME_BYTES,
      perMessageDeflate: false,
    } as ClientOptions) // closeTimeout is newer than the type declarations
    let isClosing = false
    let reason = ''
    // One that never answers must not keep a client from closing.
    const giveUp = (): void => socket.terminate()
    signal?.addEventListener('abort', giveUp)
    socket.on('open', () => {
      signal?.removeEventListener('abort', giveUp)
      resolve(linkOf(socket, () => (isClosing = true)))
    })
    socket.on('message', (data, isBinary) => {
      if (!isBinary && !isClosing) handlers.message(textOf(data))
    })
    socket.on('error', (error) => {
      signal?.removeEventListener('abort', giveUp)
      reason = error.message
      reject(
        new ChatError('NET_UNAVAILABLE', {
          message: `${url} cannot be reached (${plainly(error)}); ${remedyOf(error)}`,
          cause: error,
        }),
      )
    })
    socket.on('close', (code, text) => {
      if (!isClosing) handlers.closed(reason || text.toString() || `closed (${code})`)
    })
  })

const isUntrusted = (error: Error): boolean =>
  'code' in error && typeof error.code === 'string' && /CERT|SELF_SIGNED|UNABLE_TO_VERIFY/.test(error.code)

/** Node's own advice, after a semicolon, is for who starts it. */
const plainly = ({ message }: Error): string => message.split(';', 1)[0] ?? message

const remedyOf = (error: Error): string =>
  isUntrusted(error)
    ? 'trust the authority that signed its certificate with NODE_EXTRA_CA_CERTS=FILE'
    : 'check the address and that the gateway runs'

const textOf = (data: Buffer | ArrayBuffer | Buffer[]): string =>
  Buffer.isBuffer(data)
    ? data.toString('utf8')
    : Buffer.concat(Array.isArray(data) ? data : [Buffer.from(data)]).toString('utf8')

const linkOf = (socket: WebSocket, closing: () => void): GatewayLink => ({
  get bufferedBytes() {
    return socket.bufferedAmount
  },
  send: (text) => {
    if (socket.readyState === WebSocket.OPEN) socket.send(text)
  },
  close: () => {
    closing()
    socket.close(1000)
  },
})
