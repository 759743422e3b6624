// The store's answers to the ledger: registers and messages to groups, for group nodes; rows, for homes that read back what they lost.
// One function per method of protocol/rpc-ledger.ts. A home that may have forgotten something takes no part until it has read it back.
import { mutant } from '../../platform/mutants.ts'
import { ChatError } from '../../protocol/errors.ts'
import { limits } from '../../protocol/limits.ts'
import { groupMailbox } from '../../protocol/names.ts'
import { splitKeys } from '../../protocol/records.ts'
import {
  type Ballot,
  ledgerAccept,
  ledgerDone,
  ledgerFanOut,
  ledgerInspect,
  ledgerLearn,
  ledgerNewest,
  ledgerOpen,
  ledgerPrepare,
  ledgerRead,
  ledgerRows,
  type RequestOf,
  type ResponseOf,
} from '../../protocol/rpc.ts'
import type { ClusterView, PeerTransport } from '../core/ports.ts'
import { openRegisterName } from '../replication/ledger-keys.ts'
import { homesOf } from '../replication/placement.ts'
import type { Caller } from './access.ts'
import { atEpoch, type EpochGate } from './epoch-gate.ts'
import { inspectLedger } from './ledger-inspection.ts'
import type { Ledger } from './ledger.ts'

export interface LedgerContext {
  transport: Pick<PeerTransport, 'self'>
  handle: PeerTransport['handle']
  view: ClusterView
  gate: EpochGate
  /** STORE_READ_ONLY while no database is open. */
  ledger(): Ledger
  feed(): string
  /** False: it may have forgotten what it promised under another feed id. */
  takesPart(): boolean
  assertWritable(): void
  assertCaller(peer: string, callers: Caller[]): void
}

const CALLERS: Caller[] = ['group', 'store']
const MAX_VALUE_BYTES = 256 * 1024
const MAX_NONCE = 64

export const handleLedger = (context: LedgerContext): void => {
  const { transport } = context
  /** At the epoch of the request, by a home of that place that has forgotten nothing. */
  const guard = <T>({ epoch, place, from }: Guarded, work: (ledger: Ledger) => T | Promise<T>): T | Promise<T> => {
    context.assertCaller(from, CALLERS)
    return atEpoch(context.gate, epoch, () => {
      assertHome(context, place)
      return work(context.ledger())
    })
  }
  const guardRegister = <T>(
    { epoch, key }: { epoch: number; key: string },
    from: string,
    work: (ledger: Ledger) => T | Promise<T>,
  ): T | Promise<T> => guard({ epoch, place: openRegisterName(key).place, from }, work)

  context.handle(ledgerPrepare, (request, from) =>
    guardRegister(request, from, (ledger) => {
      context.assertWritable()
      assertBallot(request)
      const answer = ledger.registers.prepare(request.key, request.ballot)
      return ledger.commit().then(() => ({ ...answer, feed: context.feed() }))
    }),
  )
  context.handle(ledgerAccept, (request, from) =>
    guardRegister(request, from, (ledger) => {
      context.assertWritable()
      assertBallot(request)
      assertValue(request.value)
      const answer = ledger.registers.accept(request.key, request)
      return ledger.commit().then(() => answer)
    }),
  )
  context.handle(ledgerLearn, (request, from) =>
    guardRegister(request, from, (ledger) => {
      context.assertWritable()
      assertValue(request.value)
      return learn(ledger, request)
    }),
  )
  context.handle(ledgerRead, (request, from) =>
    guardRegister(request, from, (ledger) => ledger.registers.read(request.key)),
  )
  context.handle(ledgerNewest, ({ epoch, group }, from) =>
    guard({ epoch, place: groupMailbox(group), from }, (ledger) => ledger.registers.newest(group)),
  )
  context.handle(ledgerFanOut, (request, from) =>
    guard({ epoch: request.epoch, place: groupMailbox(request.group), from }, (ledger) => {
      context.assertWritable()
      return fanOut(context, ledger, request)
    }),
  )
  context.handle(ledgerDone, ({ group, version, keys, isVoid }, from) => {
    context.assertCaller(from, CALLERS)
    const ledger = context.ledger()
    for (const key of splitKeys(keys)) ledger.fanOuts.end({ group, version, recordKey: key, isVoid })
    ledger.commitSoon()
  })
  context.handle(ledgerOpen, ({ olderThanMs }, from) => {
    context.assertCaller(from, CALLERS)
    return { items: context.ledger().fanOuts.open(olderThanMs) }
  })
  context.handle(ledgerRows, (request, from) => {
    context.assertCaller(from, ['store'])
    return atEpoch(context.gate, request.epoch, () => rows(context, request, from))
  })
  context.handle(ledgerInspect, ({ epoch, after }, from) => {
    if (from !== transport.self) throw new ChatError('PEER_DENIED')
    return atEpoch(context.gate, epoch, async () => {
      const takesPart = context.takesPart()
      return { ...(await inspectLedger(context.ledger(), after)), takesPart }
    })
  })
}

interface Guarded {
  epoch: number
  place: string
  from: string
}

const assertHome = (context: LedgerContext, place: string): void => {
  if (!homesOf(context.view.current().map, place).all.includes(context.transport.self)) {
    throw new ChatError('RPC_INVALID', { message: `This store is no home of ${place}` })
  }
  if (!context.takesPart() && !mutant('empty-disk-rejoins')) throw new ChatError('STORE_SYNCING')
}
/** A ballot belongs to the epoch of its request. */
const assertBallot = ({ epoch, ballot }: { epoch: number; ballot: Ballot }): void => {
  const [of, round, nonce] = ballot
  const isWhole = of === epoch && Number.isInteger(round) && round >= 1 && round <= limits.maxNumber
  if (!isWhole || typeof nonce !== 'string' || nonce.length > MAX_NONCE) {
    throw new ChatError('RPC_INVALID', { message: 'The ballot is malformed' })
  }
}
const assertValue = (value: Uint8Array): void => {
  if (!(value instanceof Uint8Array) || value.length > MAX_VALUE_BYTES)
    throw new ChatError('RPC_INVALID', { message: 'The value is too large' })
}

const learn = async (
  ledger: Ledger,
  { key, value }: RequestOf<typeof ledgerLearn>,
): Promise<ResponseOf<typeof ledgerLearn>> => {
  ledger.registers.learn(key, value)
  const { version } = openRegisterName(key)
  // In the turn of the seal: what is on its way to the disk counts as taken.
  const open = version ? ledger.fanOuts.openAt(version.group, version.version - 1) : Buffer.alloc(0)
  await ledger.commit()
  return { open }
}

const fanOut = async (
  context: LedgerContext,
  ledger: Ledger,
  request: RequestOf<typeof ledgerFanOut>,
): Promise<ResponseOf<typeof ledgerFanOut>> => {
  const { mode, group } = request
  const taken = ledger.fanOuts.take(request, { mode, newest: ledger.registers.newestVersion(group) })
  const peers = [...ledger.feeds.all()]
  await ledger.commit()
  return { ...taken, feed: context.feed(), peers }
}

const rows = async (
  context: LedgerContext,
  { feed, shards, after }: RequestOf<typeof ledgerRows>,
  from: string,
): Promise<ResponseOf<typeof ledgerRows>> => {
  const open = context.ledger()
  if (from !== context.transport.self) open.feeds.note(from, feed)
  await open.commit()
  return { ...(await open.page(new Set(shards), after)), takesPart: context.takesPart() }
}
