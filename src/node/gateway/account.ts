// What only the authority decides: names, devices, certificates. The gateway passes it on, answers with what comes back,
// and keeps nothing. While the authority is away these requests fail with AUTH_UNAVAILABLE, and nothing else does.
import { fromBase64, toBase64 } from '../../protocol/bytes.ts'
import { authorityPeer } from '../../protocol/cluster-map.ts'
import { ChatError, hasCode } from '../../protocol/errors.ts'
import type { ClientFrame } from '../../protocol/frames.ts'
import {
  authLinkApprove,
  authLinkBegin,
  authLinkLookup,
  authRegister,
  authRenew,
  authRevoke,
  type RpcMethod,
} from '../../protocol/rpc.ts'
import type { ClusterView, PeerTransport } from '../core/ports.ts'
import type { Mailboxes } from '../replication/mailboxes.ts'
import { frameText } from './gateway-frames.ts'
import type { Session } from './session.ts'

export interface AccountPorts {
  transport: PeerTransport
  view: ClusterView
  mailboxes: Mailboxes
}

export class Account {
  readonly #ports: AccountPorts

  constructor(ports: AccountPorts) {
    this.#ports = ports
  }

  async register(session: Session, { id, claim }: ClientFrame<'auth.register'>): Promise<void> {
    const { certificate } = await this.#ask(authRegister, { claim: fromBase64(claim) })
    session.send(frameText('auth.certified', { id, certificate: toBase64(certificate) }))
  }

  async beginLink(session: Session, { id, claim }: ClientFrame<'link.begin'>): Promise<void> {
    const { code, certificate } = await this.#ask(authLinkBegin, { claim: fromBase64(claim) })
    session.send(
      certificate
        ? frameText('auth.certified', { id, certificate: toBase64(certificate) })
        : frameText('link.code', { id, code }),
    )
  }

  async lookUpLink(session: Session, { id, code }: ClientFrame<'link.lookup'>): Promise<void> {
    const { claim } = await this.#ask(authLinkLookup, { code })
    session.send(frameText('link.claim', { id, claim: toBase64(claim) }))
  }

  async approveLink(session: Session, { id, code, approval }: ClientFrame<'link.approve'>): Promise<void> {
    const { user, certificate } = session.identity
    const request = { code, approval: fromBase64(approval), certificate: certificate.sealed }
    const answer = await this.#ask(authLinkApprove, request)
    this.#ports.mailboxes.forgetCertificates(user)
    session.send(frameText('auth.certified', { id, certificate: toBase64(answer.certificate) }))
  }

  async renewCertificate(session: Session, { id, claim }: ClientFrame<'auth.renew'>): Promise<void> {
    const { certificate } = session.identity
    const answer = await this.#ask(authRenew, { certificate: certificate.sealed, claim: fromBase64(claim) })
    session.send(frameText('auth.certified', { id, certificate: toBase64(answer.certificate) }))
  }

  async revokeDevice(session: Session, { id, revocation }: ClientFrame<'device.revoke'>): Promise<void> {
    const { certificate } = session.identity
    await this.#ask(authRevoke, { revocation: fromBase64(revocation), certificate: certificate.sealed })
    session.send(frameText('ok', { id }))
  }

  async listCertificates(session: Session, { id, user }: ClientFrame<'certificate.get'>): Promise<void> {
    const certificates = await this.#ports.mailboxes.certificates(user)
    if (certificates.length === 0) throw new ChatError('USER_UNKNOWN')
    const sealed = certificates.map((certificate) => toBase64(certificate.sealed))
    const cached = this.#ports.mailboxes.isCached(certificates) ? { cached: true } : {}
    session.send(frameText('certificate.list', { id, certificates: sealed, ...cached }))
  }

  async #ask<Request, Response>(method: RpcMethod<Request, Response>, request: Request): Promise<Response> {
    const { transport, view } = this.#ports
    const authority = authorityPeer(view.current().map)
    if (authority === undefined || !transport.isConnected(authority)) throw new ChatError('AUTH_UNAVAILABLE')
    try {
      return await transport.call(authority, method, request)
    } catch (error) {
      if (!hasCode(error, 'PEER_UNREACHABLE', 'PEER_OVERLOADED', 'NET_TIMEOUT', 'NET_CLOSED')) throw error
      // Every one of these requests may be repeated; the outcome stays what the transport knows of it.
      const { outcome } = error as ChatError // hasCode says so
      throw new ChatError('AUTH_UNAVAILABLE', { cause: error, outcome })
    }
  }
}
