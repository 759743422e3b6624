// The client's handshake: what gateway and device sign. Challenge and response over one transcript that names
// protocol, cluster, gateway, device and both nonces; so a recorded or relayed handshake is worthless.
import { toUtf8 } from './bytes.ts'

export interface Transcript {
  cluster: string
  /** Peer id of the gateway. */
  gateway: string
  user: string
  device: string
  /** 32 bytes in base64, by the client and by the gateway. */
  clientNonce: string
  gatewayNonce: string
}

const transcript = (side: 'gateway' | 'device', t: Transcript): Uint8Array =>
  toUtf8(['chatd/1/handshake', side, t.cluster, t.gateway, t.user, t.device, t.clientNonce, t.gatewayNonce].join('\n'))

export const gatewayTranscript = (t: Transcript): Uint8Array => transcript('gateway', t)
export const deviceTranscript = (t: Transcript): Uint8Array => transcript('device', t)
export const NONCE_BYTES = 32
export const SUBPROTOCOL = 'chat.v1'
