// One client's WebSocket as the gateway's ClientSocket. Event listeners are shared functions and state is in fields, so that
// an idle connection costs little. All frames of one turn of the loop leave in one write.
import type { Duplex } from 'node:stream'
import { WebSocket, WebSocketServer } from 'ws'
import { limits } from '../../protocol/limits.ts'
import { SUBPROTOCOL } from '../../protocol/handshake.ts'
import type { ClientSocket, ClientSocketHandlers } from '../core/ports.ts'

/** How long a client may take to answer a close frame. */
export const CLOSE_MS = 1_000
const UNSUPPORTED_DATA = 1003
/** Chunks of TCP that one frame may come in; before authentication, and after: 256 KiB in the smallest segments. */
const MAX_CHUNKS = { before: 64, after: 1_024 }

export class ClientWebSocket extends WebSocket {
  /** Set before the first event. */
  client?: ClientConnection
}

/** Who must hear of a connection's changes. */
interface ConnectionOwner {
  connectionAuthenticated(remote: string): void
  connectionClosed(connection: ClientConnection): void
  /** It holds back what it sends until `flush`. */
  connectionCorked(connection: ClientConnection): void
}

export const clientWebSocketServer = (): WebSocketServer =>
  new WebSocketServer({
    noServer: true,
    WebSocket: ClientWebSocket,
    clientTracking: false,
    perMessageDeflate: false,
    handleProtocols: () => SUBPROTOCOL,
    maxPayload: limits.maxUnauthenticatedFrameBytes,
    maxFragments: limits.maxFragments,
    maxBufferedChunks: MAX_CHUNKS.before,
    closeTimeout: CLOSE_MS,
  } as ConstructorParameters<typeof WebSocketServer>[0]) // the last three are newer than the type declarations

export class ClientConnection implements ClientSocket {
  readonly remote: string
  readonly #webSocket: ClientWebSocket
  readonly #owner: ConnectionOwner
  /** Under the WebSocket. */
  readonly #socket: Duplex
  #handlers: ClientSocketHandlers | undefined
  #isCorked = false

  constructor(
    webSocket: ClientWebSocket,
    { socket, remote, owner }: { socket: Duplex; remote: string; owner: ConnectionOwner },
  ) {
    this.#webSocket = webSocket
    this.#socket = socket
    this.remote = remote
    this.#owner = owner
    webSocket.client = this
  }

  open(handlers: ClientSocketHandlers): void {
    this.#handlers = handlers
    this.#webSocket.on('message', onMessage)
    this.#webSocket.on('close', onClose)
    this.#webSocket.on('error', onError)
  }

  get bufferedBytes(): number {
    return this.#webSocket.bufferedAmount
  }

  send(text: string): void {
    if (this.#webSocket.readyState !== WebSocket.OPEN) return
    if (!this.#isCorked) {
      this.#isCorked = true
      this.#socket.cork()
      this.#owner.connectionCorked(this)
    }
    this.#webSocket.send(text)
  }

  /** Called by the owner at the end of the turn. */
  flush(): void {
    this.#isCorked = false
    this.#socket.uncork()
  }

  close(code: number, reason: string): void {
    this.#webSocket.close(code, reason)
  }

  terminate(): void {
    this.#webSocket.terminate()
  }

  authenticated(): void {
    raiseLimits(this.#webSocket)
    this.#owner.connectionAuthenticated(this.remote)
  }

  /** Called by the listeners below. */
  received(data: Buffer, isBinary: boolean): void {
    if (this.#webSocket.readyState !== WebSocket.OPEN) return
    if (isBinary) this.close(UNSUPPORTED_DATA, 'text frames only')
    else this.#handlers?.message(data.toString('utf8'))
  }

  closed(): void {
    this.#owner.connectionClosed(this)
    this.#handlers?.closed()
    this.#handlers = undefined
  }
}

function onMessage(this: WebSocket, data: unknown, isBinary: boolean): void {
  if (this instanceof ClientWebSocket) this.client?.received(data as Buffer, isBinary) // a Buffer by the default binaryType
}
function onClose(this: WebSocket): void {
  if (this instanceof ClientWebSocket) this.client?.closed()
}
/** ws closes the connection by itself with the fitting code. */
function onError(this: WebSocket): void {}

/** ws fixes its limits when a connection opens; ours grow with authentication. A test holds this to the version in use. */
const raiseLimits = (webSocket: WebSocket): void => {
  const { _receiver: receiver } = webSocket as unknown as {
    _receiver: { _maxPayload: number; _maxBufferedChunks: number }
  } // not public
  receiver._maxPayload = limits.maxFrameBytes
  receiver._maxBufferedChunks = MAX_CHUNKS.after
}
