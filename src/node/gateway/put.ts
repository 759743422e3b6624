// record.put: the checks that a gateway owes before it stores a record, then the durable write, the answer, and the push.
// Only the header is read; no signature is checked here (recipients do), and the bytes are passed on as they came.
import { mutant } from '../../platform/mutants.ts'
import type { Clock } from '../../platform/ports.ts'
import { fromBase64 } from '../../protocol/bytes.ts'
import { ChatError } from '../../protocol/errors.ts'
import type { ClientFrame } from '../../protocol/frames.ts'
import { limits } from '../../protocol/limits.ts'
import { isGroupId, mailboxOwner } from '../../protocol/names.ts'
import {
  type MessageHeader,
  type OpenRecord,
  openRecord,
  type ReceiptHeader,
  type RecordHeader,
  type RecordKind,
  type TombstoneHeader,
} from '../../protocol/records.ts'
import type { ClusterView } from '../core/ports.ts'
import type { Blobs } from '../replication/blobs.ts'
import type { Mailboxes } from '../replication/mailboxes.ts'
import { isBase64, storedText } from './gateway-frames.ts'
import type { Groups } from './groups.ts'
import { pinBlobs, unpinBlobs } from './pinning.ts'
import type { Pusher } from './push.ts'
import type { Session } from './session.ts'

export interface PutPorts {
  view: ClusterView
  clock: Clock
  mailboxes: Mailboxes
  pusher: Pusher
  blobs: Blobs
  groups: Groups
}

/** Settings are small: read positions, blocks. */
const MAX_SETTING_BYTES = 16 * 1024

interface KindCheck {
  /** Throws MESSAGE_INVALID for what this kind may not be. */
  check: (header: RecordHeader, record: OpenRecord, now: number) => void
  /** False for what stays in the author's own mailbox. */
  hasRecipient: boolean
}
const nothing = (): void => {}
const invalid = (message: string): never => {
  throw new ChatError('MESSAGE_INVALID', { message })
}

const checkExpiry = (header: RecordHeader, _record: OpenRecord, now: number): void => {
  const { exp } = header as MessageHeader // the table calls it for messages only
  if (exp !== undefined && !(Number.isSafeInteger(exp) && exp > now)) invalid('The message has already expired')
}
const checkRanges = (header: RecordHeader): void => {
  const { r, to, from } = header as ReceiptHeader // the table calls it for receipts only
  if (r.length > limits.maxReceiptRanges) invalid('The receipt has too many ranges')
  if (to === from) invalid('A receipt is for somebody else’s messages')
}
const checkSetting = (_header: RecordHeader, { sealed }: OpenRecord): void => {
  if (sealed.length > MAX_SETTING_BYTES) invalid('The setting is too large')
}
/** As the homes of attachments take it; of others nobody else keeps a proof. */
const checkTombstone = (header: RecordHeader, { sealed }: OpenRecord): void => {
  const { blobs } = header as TombstoneHeader // the table calls it for tombstones only
  if (blobs && sealed.length > limits.maxTombstoneBytes) invalid('The deletion is too large')
}

/** What each kind is checked for; a new kind is a new row. */
const kindChecks: Record<RecordKind, KindCheck> = {
  msg: { check: checkExpiry, hasRecipient: true },
  void: { check: nothing, hasRecipient: true },
  rcpt: { check: checkRanges, hasRecipient: true },
  set: { check: checkSetting, hasRecipient: false },
  tomb: { check: checkTombstone, hasRecipient: true },
  group: { check: () => invalid('A group is changed by group.propose'), hasRecipient: false },
}

interface PutRecord {
  id: number
  base64: string
  record: OpenRecord
}

export class Put {
  readonly #ports: PutPorts
  #isDraining = false

  constructor(ports: PutPorts) {
    this.#ports = ports
  }

  /** From now on every put is refused. */
  drain(): void {
    this.#isDraining = true
  }

  /** Resolves once the answer was sent; rejects with what the client is told. */
  handle(session: Session, { id, record: base64 }: ClientFrame<'record.put'>): Promise<void> {
    if (this.#isDraining) throw new ChatError('GATEWAY_DRAINING')
    const record = this.#open(session, base64)
    const { to, k } = record.header
    kindChecks[k].check(record.header, record, this.#ports.clock.now())
    const isKnown = record.group !== undefined || !kindChecks[k].hasRecipient || this.#ports.mailboxes.isKnownUser(to)
    const deliver = (): Promise<void> => this.#deliver(session, { id, base64, record })
    return isKnown ? deliver() : this.#mustExist(to).then(deliver)
  }

  /** group.propose: the same checks of form, then the group node's answer. */
  propose(session: Session, { id, record: base64 }: ClientFrame<'group.propose'>): Promise<void> {
    if (this.#isDraining) throw new ChatError('GATEWAY_DRAINING')
    const record = this.#open(session, base64)
    if (record.header.k !== 'group') return invalid('Only versions of groups are proposed')
    return this.#ports.groups.propose(session, id, record, this.#ports.clock.now())
  }

  #open(session: Session, base64: string): OpenRecord {
    if (!isBase64(base64)) return invalid('The record is not canonical base64')
    const sealed = fromBase64(base64)
    if (sealed.length > limits.maxRecordBytes) throw new ChatError('MESSAGE_TOO_LARGE')
    const record = openRecord(sealed)
    const { header } = record
    const { user, device } = session.identity
    if (header.from !== user || header.dev !== device) return invalid('The record is not from this user and device')
    const now = this.#ports.clock.now()
    const { retentionMs } = this.#ports.view.current().map
    // Homes whose clocks are ahead of this one must find it young enough too: they keep nothing that has expired.
    const oldest = now - retentionMs + limits.clockSkewMs
    if (header.at > now + limits.maxAheadMs || header.at < oldest) throw new ChatError('MESSAGE_TIME')
    return record
  }

  async #mustExist(user: string): Promise<void> {
    if (!(await this.#ports.mailboxes.userExists(user))) throw new ChatError('USER_UNKNOWN')
  }

  #deliver(session: Session, put: PutRecord): Promise<void> {
    const { record } = put
    const { group } = record
    const store = (): Promise<void> =>
      group === undefined ? this.#store(session, put) : this.#sendToGroup(session, put, group)
    const pinned = pinBlobs(record, this.#ports)
    return pinned ? pinned.then(store) : store()
  }

  async #sendToGroup(session: Session, put: PutRecord, group: string): Promise<void> {
    const { base64, record } = put
    const { sealed } = record
    const { at, users } = await this.#ports.groups.send(group, sealed, this.#ports.clock.now())
    const answered = this.#answer(session, put, at)
    this.#ports.pusher.push({ users, sealed, acceptedAt: at, base64, except: session })
    await answered
  }

  /** At once, unless it deletes attachments. */
  #answer(session: Session, { id, record }: PutRecord, at: number): Promise<void> | void {
    const stored = (): void => session.send(storedText(id, at))
    const unpinned = unpinBlobs(record, session.identity.certificate, this.#ports)
    return unpinned ? unpinned.then(stored) : stored()
  }

  #store(session: Session, put: PutRecord): Promise<void> {
    const { base64, record } = put
    const acceptedAt = this.#ports.clock.now()
    const { sealed } = record
    const mailboxes = mutant('own-copy-skipped') ? record.mailboxes.slice(0, 1) : record.mailboxes
    return this.#ports.mailboxes.append({ mailboxes, sealed, acceptedAt }).then(() => {
      const answered = this.#answer(session, put, acceptedAt)
      const users = mailboxes.map(mailboxOwner)
      const pushed = { users, sealed, acceptedAt, base64, except: session }
      const { header } = record
      if (header.k === 'rcpt' && isGroupId(header.conv)) this.#ports.pusher.pushSoon(pushed)
      else this.#ports.pusher.push(pushed)
      return answered
    })
  }
}
