// The ports a node's services state: peers, members, clients' sockets. Adapters in net/ implement them for real, test/sim in memory.
import type { SignedMap } from '../../protocol/cluster-map.ts'
import type { RpcMethod } from '../../protocol/rpc.ts'

export type RpcHandler<Request, Response> = (request: Request, from: string) => Response | Promise<Response>

/** Messages between members of the cluster. Peers are libp2p peer ids; calling oneself is a direct function call without encoding. */
export interface PeerTransport {
  readonly self: string
  /**
   * Rejects with a ChatError: PEER_UNREACHABLE (never sent), PEER_OVERLOADED (never sent), NET_TIMEOUT or NET_CLOSED (may have happened),
   * or what the handler threw. Requests to one peer in one turn of the loop leave in one frame.
   */
  call<Request, Response>(
    peer: string,
    method: RpcMethod<Request, Response>,
    request: Request,
    options?: { timeoutMs?: number },
  ): Promise<Response>
  /** One way; lost when there is no connection. */
  notify<Request>(peer: string, method: RpcMethod<Request, void>, request: Request): void
  handle<Request, Response>(method: RpcMethod<Request, Response>, handler: RpcHandler<Request, Response>): void
  /** Members with a live connection, and oneself. */
  isConnected(peer: string): boolean
  connectedPeers(): string[]
  /** Called for each change; not for oneself. */
  onPeerChange(listener: (peer: string, connected: boolean) => void): void
}

/** The newest signed map this node knows. */
export interface ClusterView {
  current(): SignedMap
  /** Verifies, keeps on disk, then adopts a newer one and tells the watchers; true if it was newer. Throws for a forged one or for another content of the same epoch. */
  adopt(sealed: Uint8Array): boolean
  watch(listener: (map: SignedMap) => void): void
}

/** Certificates as the DHT caches them: each signed by the authority for this user, perhaps not all, perhaps none. Never fails. */
export interface CertificateCache {
  putCertificates(user: string, sealed: Uint8Array[]): Promise<void>
  getCertificates(user: string): Promise<Uint8Array[]>
}

/** The node's own Ed25519 key, also its libp2p identity. */
export interface NodeIdentity {
  peer: string
  publicKey: Uint8Array
  sign(message: Uint8Array): Uint8Array
}

/** One client's connection as a gateway sees it. */
export interface ClientSocket {
  /** Where it comes from, for the log. */
  readonly remote: string
  /** Bytes accepted by send and not yet handed to the kernel. */
  readonly bufferedBytes: number
  send(text: string): void
  /** Sends a close frame; ends the connection for good after at most a second. */
  close(code: number, reason: string): void
  /** Larger frames are taken only after this. */
  authenticated(): void
}
export interface ClientSocketHandlers {
  message(text: string): void
  closed(): void
}
/** What a client asks over HTTP at the gateway's door. */
export interface ClientRequest {
  method: string
  /** As it was sent, with a query if there is one. */
  path: string
  /** By lower-case name. */
  headers: Readonly<Record<string, string | undefined>>
  /** Read at the pace of whoever iterates; throws NET_CLOSED when the client goes away. */
  body: AsyncIterable<Uint8Array>
  /** The client has shown who it is, and may take its time. */
  authenticated(): void
}
export interface ClientResponse {
  status: number
  headers: Readonly<Record<string, string>>
  /** Iterated at the pace of the client; one that throws breaks the connection off. */
  body?: AsyncIterable<Uint8Array> | string
}
export type ClientRequestHandler = (request: ClientRequest) => Promise<ClientResponse>

/** The gateway's door. The adapter enforces frame size, fragments and the number of sockets; the gateway the rest. */
export interface ClientListener {
  /** Resolves with the URL once it takes connections; requests under /blob/ go to `onRequest`. PORT_IN_USE, NET_INSECURE. */
  start(
    onSocket: (socket: ClientSocket) => ClientSocketHandlers,
    onRequest?: ClientRequestHandler,
  ): Promise<{ url: string }>
  /** No new connections; the present ones stay. */
  stopAccepting(): void
  stop(): Promise<void>
}
