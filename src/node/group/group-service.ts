// Groups: takes messages for their members and changes of their membership. A coordinator that holds nothing which must last:
// versions and messages on their way are on the homes of the group, and any group node goes on where another ended.
import type { Clock, Logger } from '../../platform/ports.ts'
import { repeat } from '../../platform/timing.ts'
import { nodeOf } from '../../protocol/cluster-map.ts'
import { ChatError, hasCode } from '../../protocol/errors.ts'
import { limits } from '../../protocol/limits.ts'
import { groupGet, groupMembers, groupPropose, groupSend, type RequestOf, type ResponseOf } from '../../protocol/rpc.ts'
import type { ClusterView, PeerTransport } from '../core/ports.ts'
import type { Service } from '../core/service.ts'
import type { Rate } from '../core/token-bucket.ts'
import type { GroupLedgerPort } from '../replication/group-ledger-port.ts'
import type { Mailboxes } from '../replication/mailboxes.ts'
import { Changes } from './changes.ts'
import { Copies } from './copies.ts'
import { Finisher } from './finisher.ts'
import { Sender } from './sender.ts'
import { type Version, Versions } from './versions.ts'

export interface GroupPorts {
  transport: PeerTransport
  view: ClusterView
  clock: Clock
  ledger: GroupLedgerPort
  mailboxes: Mailboxes
  log: Logger
}
export interface GroupOptions {
  maxMembers?: number
  /** Copies of messages that one user may cause. */
  copyRate?: Rate
}

const FINISH_EVERY_MS = 1_000
const COPY_RATE: Rate = { perSecond: limits.groupCopiesPerSecond, burst: limits.groupCopyBurst }
/** Versions that may follow on a change before its record is on its way. */
const MAX_ATTEMPTS = 5

export class GroupService implements Service {
  readonly name = 'group'
  readonly #ports: GroupPorts
  readonly #versions: Versions
  readonly #copies: Copies
  readonly #sender: Sender
  readonly #changes: Changes
  readonly #finisher: Finisher

  constructor(ports: GroupPorts, { maxMembers = limits.maxGroupMembers, copyRate = COPY_RATE }: GroupOptions = {}) {
    this.#ports = ports
    // Whoever decided it may have died before it told anyone.
    this.#versions = new Versions(ports.ledger, (version) => void this.#tell(version).catch(() => {}))
    this.#copies = new Copies(ports)
    const parts = { ...ports, versions: this.#versions, copies: this.#copies }
    this.#sender = new Sender(parts, copyRate)
    this.#changes = new Changes(parts, maxMembers)
    this.#finisher = new Finisher(parts)
  }

  start(signal: AbortSignal): void {
    const { transport, clock, log } = this.#ports
    transport.handle(groupSend, (request, from) => {
      this.#assertGateway(from)
      return this.#sender.send(request)
    })
    transport.handle(groupPropose, ({ record }, from) => {
      this.#assertGateway(from)
      return this.#propose(record)
    })
    transport.handle(groupGet, (request, from) => {
      this.#assertGateway(from)
      return this.#get(request)
    })
    transport.handle(groupMembers, async ({ group }, from) => {
      this.#assertGateway(from)
      const { version, users } = await this.#versions.recent(group)
      return { version, users }
    })
    const onError = (error: ChatError): void => log.debug({ error: error.message }, 'what is open cannot be read yet')
    void repeat({ clock, everyMs: FINISH_EVERY_MS, signal, onError }, () => this.#finisher.turn(signal))
  }

  /** What is under way reaches the members before the stores go. */
  stop(): Promise<void> {
    return this.#copies.idle()
  }

  /** Copies that wait for their homes. */
  status(): { queued: number } {
    return { queued: this.#copies.waiting }
  }

  #assertGateway(peer: string): void {
    if (nodeOf(this.#ports.view.current().map, peer)?.roles.includes('gateway')) return
    throw new ChatError('PEER_DENIED', { message: 'Only a gateway of this cluster may ask that' })
  }

  async #propose(record: Uint8Array): Promise<ResponseOf<typeof groupPropose>> {
    const { version, before } = await this.#changes.decide(record)
    try {
      await this.#tell(version)
    } catch (cause) {
      throw new ChatError('OUTCOME_UNKNOWN', { cause }) // decided it is; asked again, it is told then
    }
    return { record: version.sealed, users: [...new Set([...version.users, ...(before?.users ?? [])])] }
  }

  /** Resolves once the group's homes see to it that the members before and after it get this version. */
  async #tell({ group, sealed, version }: Version): Promise<void> {
    const { ledger, clock } = this.#ports
    for (let number = version, attempt = 1; ; attempt++) {
      const item = { group, version: number, sealed, acceptedAt: clock.now() }
      try {
        const taken = await ledger.fanOut(item)
        void this.#versions
          .mailboxesOf(item)
          .then((mailboxes) => this.#copies.bring({ ...item, ...taken }, mailboxes))
          .catch(() => {}) // finished by whose share it is
        return
      } catch (error) {
        if (!hasCode(error, 'GROUP_SEALED') || attempt === MAX_ATTEMPTS) throw error
        number = (await this.#versions.newest(group)).version
      }
    }
  }

  async #get({ group, name, version, user }: RequestOf<typeof groupGet>): Promise<ResponseOf<typeof groupGet>> {
    const id = group ?? (name === undefined ? undefined : await this.#ports.ledger.lookUpName(name))
    if (id === undefined) throw new ChatError('GROUP_UNKNOWN')
    const found = version === undefined ? await this.#versions.newest(id) : await this.#versions.at(id, version)
    if (!found) throw new ChatError('GROUP_UNKNOWN', { message: 'The group has no such version' })
    if (!(await this.#mayKnow(user, found)))
      throw new ChatError('GROUP_DENIED', { message: 'You are not a member of that group' })
    return { record: found.sealed }
  }

  /** Its members, and those who were just before: they learn that they are no more. */
  async #mayKnow(user: string, { group, version, members }: Version): Promise<boolean> {
    if (members.has(user)) return true
    const before = version > 1 ? await this.#versions.at(group, version - 1) : undefined
    return before?.members.has(user) === true
  }
}
