// The gateway's door: WebSocket connections of clients over ws, each a ClientSocket, and HTTP requests for attachments. It enforces what concerns connections:
// their number, time and size before authentication, frame size, fragments, text only. What frames mean is the gateway's.
// State is kept per socket in one small object; there are no timers and closures per socket.
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import type { WebSocketServer } from 'ws'
import { ChatError } from '../../protocol/errors.ts'
import { SUBPROTOCOL } from '../../protocol/handshake.ts'
import { limits } from '../../protocol/limits.ts'
import { http, https } from '../../platform/http.ts'
import type { Clock } from '../../platform/ports.ts'
import { systemClock } from '../../platform/system.ts'
import { repeat } from '../../platform/timing.ts'
import type { ClientListener, ClientRequestHandler, ClientSocket, ClientSocketHandlers } from '../core/ports.ts'
import { serveRequest } from './client-requests.ts'
import { ClientConnection, type ClientWebSocket, clientWebSocketServer, CLOSE_MS } from './client-connection.ts'
import { hostPort, isLoopback, listenError } from './listen-error.ts'
import { Newcomers } from './newcomers.ts'

export interface WebSocketListenerOptions {
  host: string
  /** 0 picks a free one. */
  port: number
  /** PEM. Without it connections are ws://. */
  tls?: { cert: string | Buffer; key: string | Buffer }
  /** Allows ws:// beyond this machine. */
  insecure: boolean
  clock?: Clock
  maxSockets?: number
  maxUnauthenticatedSockets?: number
  unauthenticatedMs?: number
}

const SWEEP_MS = 250
const MAX_HEADER_BYTES = 8 * 1024
/** Dead connections are found by the kernel, at no cost here. */
const KEEP_ALIVE_MS = 30_000
const GOING_AWAY = 1001

export const webSocketListener = (options: WebSocketListenerOptions): ClientListener => new WebSocketListener(options)

type OnSocket = (socket: ClientSocket) => ClientSocketHandlers

class WebSocketListener implements ClientListener {
  readonly #options: Required<Omit<WebSocketListenerOptions, 'tls'>>
  readonly #tls: WebSocketListenerOptions['tls']
  readonly #server: Server
  readonly #webSockets: WebSocketServer
  readonly #newcomers: Newcomers
  readonly #connections = new Set<ClientConnection>()
  readonly #stop = new AbortController()
  /** Those that sent something in this turn of the loop. */
  #corked: ClientConnection[] = []

  constructor({ tls, ...options }: WebSocketListenerOptions) {
    const { maxSockets, maxUnauthenticatedSockets, unauthenticatedMs } = limits
    this.#options = { clock: systemClock, maxSockets, maxUnauthenticatedSockets, unauthenticatedMs, ...options }
    this.#tls = tls
    this.#newcomers = new Newcomers(this.#options.maxUnauthenticatedSockets, this.#options.unauthenticatedMs)
    this.#server = makeServer(tls)
    this.#webSockets = clientWebSocketServer()
  }

  async start(onSocket: OnSocket, onRequest?: ClientRequestHandler): Promise<{ url: string }> {
    const { host, port, insecure, clock } = this.#options
    if (!this.#tls && !insecure && !isLoopback(host)) {
      const message = `Plain ws:// on ${host} would send messages in clear; give --tls-cert and --tls-key, or say --insecure-ws behind a proxy`
      throw new ChatError('NET_INSECURE', { message })
    }
    this.#server.on('connection', (socket) => this.#newcomers.add(socket, clock.monotonic()))
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head, onSocket))
    const serve = (request: IncomingMessage, response: ServerResponse): void =>
      this.#request(request, response, onRequest)
    this.#server.on('request', serve)
    // Told to go on when somebody reads the body: a refusal comes before it.
    this.#server.on('checkContinue', serve)
    await listen(this.#server, host, port)
    const onError = (): void => {} // the sweep cannot fail
    void repeat({ clock, everyMs: SWEEP_MS, signal: this.#stop.signal, onError }, () =>
      this.#newcomers.sweep(clock.monotonic()),
    )
    const { port: realPort } = this.#server.address() as AddressInfo // a TCP server that listens has one
    return { url: `${this.#tls ? 'wss' : 'ws'}://${hostPort(host, realPort)}` }
  }

  stopAccepting(): void {
    this.#server.close()
  }

  /** Tells everyone; who does not answer within a second is cut off. */
  async stop(): Promise<void> {
    this.#stop.abort()
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const connection of this.#connections) connection.close(GOING_AWAY, 'the gateway is going away')
    this.#newcomers.clear()
    const cancel = this.#options.clock.after(CLOSE_MS, () => {
      for (const connection of this.#connections) connection.terminate()
      this.#server.closeAllConnections()
    })
    await closed
    cancel()
  }

  #request(request: IncomingMessage, response: ServerResponse, handler?: ClientRequestHandler): void {
    if (!handler || !request.url?.startsWith('/blob/')) return refusePlainRequest(response)
    const { remoteAddress = '', remotePort = 0 } = request.socket
    const authenticated = (): void => this.#newcomers.remove(hostPort(remoteAddress, remotePort))
    void serveRequest(request, response, { clock: this.#options.clock, handler, authenticated })
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, onSocket: OnSocket): void {
    const refusal = this.#refusal(request)
    if (refusal) {
      socket.on('error', () => {}) // it may be gone before it hears
      socket.end(`HTTP/1.1 ${refusal}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy())
      return
    }
    const { remoteAddress = '', remotePort = 0 } = request.socket
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) =>
      this.#welcome(webSocket, { socket, remote: hostPort(remoteAddress, remotePort) }, onSocket),
    )
  }

  #refusal(request: IncomingMessage): string | undefined {
    const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim())
    if (!offered.includes(SUBPROTOCOL)) return `400 The subprotocol is ${SUBPROTOCOL}`
    if (this.#connections.size >= this.#options.maxSockets) return '503 Too many connections'
    return undefined
  }

  #welcome(webSocket: ClientWebSocket, from: { socket: Duplex; remote: string }, onSocket: OnSocket): void {
    const connection = new ClientConnection(webSocket, { ...from, owner: this })
    this.#connections.add(connection)
    this.#newcomers.attach(from.remote, connection)
    connection.open(onSocket(connection))
  }

  /** Called by connections. */
  connectionAuthenticated(remote: string): void {
    this.#newcomers.remove(remote)
  }

  connectionClosed(connection: ClientConnection): void {
    this.#connections.delete(connection)
    this.#newcomers.remove(connection.remote)
  }

  connectionCorked(connection: ClientConnection): void {
    if (this.#corked.push(connection) === 1) setImmediate(() => this.#flush())
  }

  #flush(): void {
    const corked = this.#corked
    this.#corked = []
    for (const connection of corked) connection.flush()
  }
}

const makeServer = (tls: WebSocketListenerOptions['tls']): Server => {
  const options = {
    maxHeaderSize: MAX_HEADER_BYTES,
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_MS,
    noDelay: true,
    // A large body may take hours; strangers are swept with the newcomers, and a body that does not come on is ended by who reads it.
    requestTimeout: 0,
  }
  return tls ? https.createServer({ ...options, ...tls }) : http.createServer(options)
}

const refusePlainRequest = (response: ServerResponse): void => {
  response.writeHead(426, { connection: 'close', upgrade: 'websocket', 'content-type': 'text/plain' })
  response.end(`This is a chat gateway: connect by WebSocket with the subprotocol ${SUBPROTOCOL}\n`)
}

const listen = (server: Server, host: string, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', (error) => reject(listenError(error, hostPort(host, port))))
    server.listen(port, host, () => resolve())
  })
