// The authority: answers devices and joining nodes, writes the cluster map, drives changes of the homes. It runs on the one node
// that holds the authority's key; without it chat goes on, and only registrations and changes of the cluster wait.
// Each task is a file beside this one; this one wires them to the transport and to the life of the node.
import type { Clock, Database, Logger, RandomSource } from '../../platform/ports.ts'
import { repeat } from '../../platform/timing.ts'
import { toHex } from '../../protocol/bytes.ts'
import { authorityPeer, type MapNode, type Role } from '../../protocol/cluster-map.ts'
import { ChatError } from '../../protocol/errors.ts'
import * as rpc from '../../protocol/rpc.ts'
import { fastSigner, type KeyPair } from '../../protocol/signing.ts'
import type { ClusterView, PeerTransport } from '../core/ports.ts'
import type { Service } from '../core/service.ts'
import { type AuthorityState, exportAuthority } from './authority-state.ts'
import { Devices } from './devices.ts'
import { HomeChanges } from './home-changes.ts'
import { readAllCertificates } from './imported-names.ts'
import { Invites } from './invites.ts'
import { type CertificateHomes, Issuer } from './issuer.ts'
import type { JoinAnswer, JoinChallenge } from './join-proof.ts'
import { Joins } from './joins.ts'
import { MapWriter } from './map-writer.ts'
import { MemberChanges, type Removal } from './member-changes.ts'
import { AuthTables } from './tables.ts'

/** How often an imported authority tries to read the certificates, until it could. */
const READ_AGAIN_MS = 1_000

export interface AuthPorts {
  transport: PeerTransport
  view: ClusterView
  clock: Clock
  random: RandomSource
  mailboxes: CertificateHomes
  database: Database
  keyPair: KeyPair
  log: Logger
}

export interface AuthOptions {
  /** Anybody may register; else an invite is needed. */
  openRegistration?: boolean
  /** How this node is to stand in the map; corrected at start when it stands there otherwise. */
  self?: Omit<MapNode, 'peer' | 'authority'>
}

export class AuthService implements Service {
  readonly name = 'auth'
  readonly #ports: AuthPorts
  readonly #options: AuthOptions
  readonly #tables: AuthTables
  readonly #devices: Devices
  readonly #invites: Invites
  readonly #joins: Joins
  readonly #members: MemberChanges
  readonly #homes: HomeChanges

  constructor(ports: AuthPorts, options: AuthOptions = {}) {
    const { transport, view, clock, random, mailboxes, database, keyPair, log } = ports
    this.#ports = ports
    this.#options = options
    const tables = new AuthTables(database)
    const cluster = toHex(keyPair.publicKey)
    const sign = fastSigner(keyPair.secretKey)
    const mustBeAuthority = (): void => this.#mustBeAuthority()
    const writer = new MapWriter({ transport, view, clock, log, sign, mustBeAuthority })
    const invites = new Invites({ tables, clock, random })
    const issuer = new Issuer({ tables, homes: mailboxes, clock, random, cluster, sign })
    this.#tables = tables
    this.#invites = invites
    this.#joins = new Joins({ tables, writer, clock, random, cluster })
    this.#members = new MemberChanges({ transport, view, tables, writer })
    this.#homes = new HomeChanges({ transport, view, clock, log, tables, writer })
    this.#devices = new Devices({
      tables,
      issuer,
      invites,
      clock,
      map: () => view.current().map,
      revoke: (revocation) => this.#members.revoke(revocation),
      openRegistration: options.openRegistration === true,
    })
  }

  start(signal: AbortSignal): void {
    this.#handleDevices()
    const { clock, log } = this.#ports
    const onError = (error: Error): void =>
      log.warn({ error: error.message }, 'the authority could not begin its work yet')
    const begin = new AbortController()
    const ready = AbortSignal.any([signal, begin.signal])
    // Nothing here may keep the node from serving: what it needs from others is tried again until it is there.
    void repeat({ clock, everyMs: READ_AGAIN_MS, signal: ready, onError }, async () => {
      if (!this.#isDeposed()) {
        await this.#readIfImported()
        await this.#standInMap()
      } else log.error({}, 'the authority was moved to another node; this copy of its key does nothing')
      begin.abort()
      this.#homes.start(signal, () => !this.#isDeposed())
    })
  }

  stop(): void {}

  createInvite(options: { uses: number; ttlMs: number }): Promise<{ code: string; expiresAt: number }> {
    this.#mustBeAuthority()
    return this.#invites.create(options)
  }

  createTicket(options: { roles: Role[]; ttlMs: number; url: string }): Promise<{ ticket: string; expiresAt: number }> {
    this.#mustBeAuthority()
    return this.#joins.createTicket(options)
  }

  /** The two messages of a joining node, as they come in at the join port. */
  joinHello(body: unknown): JoinChallenge {
    return this.#joins.hello(body)
  }

  joinProve(body: unknown): Promise<JoinAnswer> {
    this.#mustBeAuthority()
    return this.#joins.prove(body)
  }

  /** The key is in it: for the operator's eyes only. */
  exportState(): Promise<AuthorityState> {
    return exportAuthority(this.#ports.database, this.#ports.keyPair)
  }

  /** Takes a node out of the map; a home only after its records are safe on others. Repeating it is harmless. */
  removeNode(name: string): Promise<Removal> {
    this.#mustBeAuthority()
    return this.#members.remove(name)
  }

  #handleDevices(): void {
    const { transport } = this.#ports
    transport.handle(rpc.authRegister, async ({ claim }) => ({ certificate: await this.#ready().register(claim) }))
    transport.handle(rpc.authLinkBegin, ({ claim }) => this.#ready().beginLink(claim))
    transport.handle(rpc.authLinkLookup, ({ code }) => ({ claim: this.#ready().lookupLink(code) }))
    transport.handle(rpc.authLinkApprove, async ({ code, approval, certificate }) => ({
      certificate: await this.#ready().approveLink(code, approval, certificate),
    }))
    transport.handle(rpc.authRevoke, async ({ revocation, certificate }) => ({
      epoch: await this.#ready().revoke(revocation, certificate),
    }))
    transport.handle(rpc.authMoved, async ({ addresses }, from) => {
      this.#mustBeAuthority()
      return { epoch: await this.#members.moved(from, addresses) }
    })
    transport.handle(rpc.authRenew, async ({ claim }) => ({ certificate: await this.#ready().renew(claim) }))
  }

  /** The map names another node, and nobody imported the authority here since: two must never sign. */
  #isDeposed(): boolean {
    const peer = authorityPeer(this.#ports.view.current().map)
    return peer !== undefined && peer !== this.#ports.transport.self && !this.#tables.authority().mustRead
  }

  #mustBeAuthority(): void {
    if (this.#isDeposed())
      throw new ChatError('AUTH_UNAVAILABLE', { message: 'The authority was moved to another node' })
  }

  /** An authority that was imported issues nothing before it has read what the one before it had issued. */
  #ready(): Devices {
    this.#mustBeAuthority()
    if (this.#tables.authority().mustRead) {
      throw new ChatError('AUTH_UNAVAILABLE', {
        message: 'The authority was moved here and still reads the certificates of all users',
      })
    }
    return this.#devices
  }

  async #readIfImported(): Promise<void> {
    if (!this.#tables.authority().mustRead) return
    const writes = await readAllCertificates({ ...this.#ports, tables: this.#tables })
    await this.#tables.write(...writes)
    this.#ports.log.info({ certificates: writes.length }, 'the authority has read the certificates of all users')
  }

  async #standInMap(): Promise<void> {
    const { self } = this.#options
    const { mustRead } = this.#tables.authority()
    if (self) await this.#members.correctOwn(self)
    if (mustRead) await this.#tables.write(this.#tables.putAuthority({ mustRead: false }))
  }
}
