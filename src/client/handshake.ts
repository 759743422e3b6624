// The client's side of the handshake: the gateway proves by the signed map and its signature that it is one of the cluster,
// then the device proves itself. Everything is verified offline; nothing of the gateway is believed before that.
import { fromBase64, toBase64 } from '../protocol/bytes.ts'
import { nodeOf, openMap, type SignedMap } from '../protocol/cluster-map.ts'
import { asChatError, ChatError, hasCode } from '../protocol/errors.ts'
import { deviceTranscript, gatewayTranscript, NONCE_BYTES, type Transcript } from '../protocol/handshake.ts'
import { verifierFor } from '../protocol/signing.ts'
import type { Clock, RandomSource } from '../platform/ports.ts'
import { mustBeOfCluster } from './cluster-of.ts'
import type { Identity } from './identity.ts'
import type { Session } from './session.ts'

const HANDSHAKE_TIMEOUT_MS = 5_000

export interface Welcome {
  gateway: string
  /** The gateway's clock minus ours, in milliseconds. */
  clockOffsetMs: number
  /** Where else to go. */
  gateways: string[]
  map: SignedMap
}
interface HandshakeOptions {
  identity: Identity
  /** The newest map this client has seen. */
  known: SignedMap | undefined
  /** The gateways' clock minus ours, as it was last. */
  clockOffsetMs: number
  clock: Clock
  random: RandomSource
}

/** The newer of two maps; a gateway may be behind, and may not turn us back. */
export const newerMap = (known: SignedMap | undefined, offered: SignedMap): SignedMap =>
  known && known.map.epoch >= offered.map.epoch ? known : offered

const checkGateway = (map: SignedMap, transcript: Transcript, signature: Uint8Array): void => {
  const node = nodeOf(map.map, transcript.gateway)
  if (!node?.roles.includes('gateway')) {
    throw new ChatError('AUTH_DENIED', { message: 'What answered there is not a gateway of this cluster' })
  }
  if (!verifierFor(fromBase64(node.key)).verify(gatewayTranscript(transcript), signature)) {
    throw new ChatError('AUTH_SIGNATURE', { message: 'What answered there does not hold its gateway’s key' })
  }
}

/** Whoever refuses a hello has proved nothing yet: that it refuses is all that is believed, and nothing is learned from it. */
const withoutDetails = (error: unknown): never => {
  const { code, message, outcome } = asChatError(error)
  throw new ChatError(code, { message, outcome, cause: error })
}

/** Throws what the gateway answered, AUTH_DENIED or AUTH_SIGNATURE for an impostor, AUTH_CLUSTER for another cluster. */
export const shakeHands = async (
  session: Session,
  { identity, known, clockOffsetMs, clock, random }: HandshakeOptions,
): Promise<Welcome> => {
  const clientNonce = toBase64(random.bytes(NONCE_BYTES))
  const hello = { certificate: toBase64(identity.certificate.sealed), nonce: clientNonce }
  const challenge = await session
    .request('auth.hello', hello, 'auth.challenge', HANDSHAKE_TIMEOUT_MS)
    .catch(async (error: unknown) => {
      // It cannot tell a forged certificate from that of another cluster; we can ask which one it is of.
      if (hasCode(error, 'AUTH_SIGNATURE')) await mustBeOfCluster(session, identity.cluster)
      return withoutDetails(error)
    })
  const transcript: Transcript = {
    cluster: identity.cluster,
    gateway: challenge.gateway,
    user: identity.user,
    device: identity.device,
    clientNonce,
    gatewayNonce: challenge.nonce,
  }
  const map = newerMap(known, openMap(fromBase64(challenge.map), identity.cluster))
  checkGateway(map, transcript, fromBase64(challenge.signature))
  const prove = {
    signature: toBase64(identity.sign(deviceTranscript(transcript))),
    capability: toBase64(identity.capability(challenge.gateway, clock.now() + clockOffsetMs)),
  }
  const welcome = await session.request('auth.prove', prove, 'auth.welcome', HANDSHAKE_TIMEOUT_MS)
  return {
    gateway: challenge.gateway,
    clockOffsetMs: welcome.now - clock.now(),
    gateways: welcome.gateways,
    map,
  }
}
