// Login, verified offline: the device's certificate, the gateway's signature first, then the device's over the same transcript,
// bound to this connection by both nonces; and a capability for this gateway. Also its renewal.
import { mutant } from '../../platform/mutants.ts'
import type { Clock, RandomSource } from '../../platform/ports.ts'
import { fromBase64, toBase64 } from '../../protocol/bytes.ts'
import { type Capability, type Certificate, openCapability, openCertificate } from '../../protocol/certificate.ts'
import { isRevoked } from '../../protocol/cluster-map.ts'
import { ChatError } from '../../protocol/errors.ts'
import type { ClientFrame } from '../../protocol/frames.ts'
import { deviceTranscript, gatewayTranscript, NONCE_BYTES } from '../../protocol/handshake.ts'
import { verifierFor } from '../../protocol/signing.ts'
import type { ClusterView, NodeIdentity } from '../core/ports.ts'
import { frameText } from './gateway-frames.ts'
import type { Identity, Session } from './session.ts'

export interface HandshakePorts {
  view: ClusterView
  clock: Clock
  random: RandomSource
  identity: NodeIdentity
  /** The session has proved who it is: it becomes reachable. Called before the client is told. */
  onOpen: (session: Session, identity: Identity) => void
  /** It has a fresh capability. */
  onRenew: (session: Session) => void
  /** Where else clients can go. */
  gateways: () => string[]
}

const SIGNATURE_BYTES = 64

export class Handshake {
  readonly #ports: HandshakePorts

  constructor(ports: HandshakePorts) {
    this.#ports = ports
  }

  hello(session: Session, { id, certificate: sealed, nonce }: ClientFrame<'auth.hello'>): void {
    const { identity, random, view } = this.#ports
    const { map, sealed: signedMap } = view.current()
    const certificate = openCertificate(fromBase64(sealed), map.cluster)
    this.#mustBeValid(certificate)
    const transcript = {
      cluster: map.cluster,
      gateway: identity.peer,
      user: certificate.user,
      device: certificate.dev,
      clientNonce: nonce,
      gatewayNonce: toBase64(random.bytes(NONCE_BYTES)),
    }
    session.challenge = { certificate, transcript }
    const signature = toBase64(identity.sign(gatewayTranscript(transcript)))
    const answer = { gateway: identity.peer, nonce: transcript.gatewayNonce, signature, map: toBase64(signedMap) }
    session.send(frameText('auth.challenge', { id, ...answer }))
  }

  /** One try per challenge: a failed proof needs a new hello. */
  prove(session: Session, { id, signature, capability }: ClientFrame<'auth.prove'>): void {
    const { challenge } = session
    session.challenge = undefined
    if (!challenge) throw new ChatError('AUTH_REPLAY', { message: 'There was no challenge on this connection' })
    const { certificate, transcript } = challenge
    const proof = fromBase64(signature)
    if (proof.length !== SIGNATURE_BYTES) throw new ChatError('AUTH_SIGNATURE')
    const isProved = verifierFor(certificate.publicKey).verify(deviceTranscript(transcript), proof)
    if (!isProved && !mutant('signature-unchecked')) throw new ChatError('AUTH_REPLAY')
    const opened = this.#openCapability(fromBase64(capability), certificate)
    this.#mustBeValid(opened.certificate)
    this.#ports.onOpen(session, identityOf(opened))
    const { clock, gateways } = this.#ports
    session.send(frameText('auth.welcome', { id, session: session.id, now: clock.now(), gateways: gateways() }))
  }

  renew(session: Session, { id, capability }: ClientFrame<'auth.capability'>): void {
    const opened = this.#openCapability(fromBase64(capability), session.identity.certificate)
    this.#mustBeValid(opened.certificate)
    session.authenticate(identityOf(opened))
    this.#ports.onRenew(session)
    session.send(frameText('ok', { id }))
  }

  #openCapability(sealed: Uint8Array, certificate: Certificate): Capability {
    const { view, identity, clock } = this.#ports
    const expected = { gateway: identity.peer, now: clock.now() }
    const capability = openCapability(sealed, view.current().map.cluster, expected)
    if (capability.user !== certificate.user || capability.dev !== certificate.dev) {
      throw new ChatError('AUTH_DENIED', { message: 'The capability is another device’s' })
    }
    return capability
  }

  #mustBeValid(certificate: Certificate): void {
    if (certificate.exp < this.#ports.clock.now()) throw new ChatError('AUTH_EXPIRED')
    const { map } = this.#ports.view.current()
    if (isRevoked(map, certificate.user, certificate.dev)) throw new ChatError('AUTH_REVOKED')
  }
}

const identityOf = (capability: Capability): Identity => ({
  user: capability.user,
  device: capability.dev,
  certificate: capability.certificate,
  // A copy: small buffers share slabs of 8 KiB, and this one is held as long as the session.
  capability: new Uint8Array(capability.sealed),
  capabilityExpiresAt: capability.exp,
})
