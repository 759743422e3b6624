// The store's answers to gateways: appending, having, feeds and subscriptions. One function per method of protocol/rpc.ts.

import { mutant } from '../../platform/mutants.ts'
import { ChatError } from '../../protocol/errors.ts'
import { splitKeys } from '../../protocol/records.ts'
import {
  type FeedPage,
  type RequestOf,
  type ResponseOf,
  type StoreMark,
  storeAppend,
  storeCertificates,
  storeFetch,
  storeHas,
  storeHeads,
  storePage,
  storeRenew,
  storeSeen,
  storeSubscribe,
  storeUnsubscribe,
} from '../../protocol/rpc.ts'
import { limits } from '../../protocol/limits.ts'
import { homesOf } from '../replication/placement.ts'
import { type AdmittedRecord, admit } from './admission.ts'
import { stageRecords } from './append.ts'
import { readCertificates } from './certificates.ts'
import { admissionRules, type StoreContext } from './context.ts'
import { atEpoch } from './epoch-gate.ts'
import { fetchRecords, readPage } from './feed.ts'
import { entryKey, placeOf } from './keys.ts'
import { findEntry } from './lookup.ts'
import { verifyTombstone } from './verify-tombstones.ts'

/** No home gets that far: numbers have six bytes on disk. */
const MAX_BATCH = 2 ** 47

export const handleMailboxes = (context: StoreContext): void => {
  const { subscriptions } = context
  const only = (caller: 'gateway' | 'member', from: string): void => context.assertCaller(from, [caller])
  context.handle(storeAppend, (request, from) => {
    context.assertCaller(from, ['gateway', 'group', 'authority', 'store'])
    context.assertWritable()
    return atEpoch(context.gate, request.epoch, () => append(context, request))
  })
  context.handle(storeHas, (request, from) => {
    only('member', from)
    return has(context, request)
  })
  context.handle(storeCertificates, (request, from) => {
    only('member', from)
    context.gate.check(request.epoch)
    context.assertReadable()
    return readCertificates(context.home(), request.user).then((records) => ({ records }))
  })
  context.handle(storeSubscribe, (request, from) => {
    only('gateway', from)
    return subscribe(context, request, from)
  })
  context.handle(storeUnsubscribe, ({ subs }, from) => {
    for (const sub of subs) subscriptions.close(from, sub)
  })
  context.handle(storePage, (request, from) => page(context, request, from))
  context.handle(storeFetch, (request, from) => fetch(context, request, from))
  context.handle(storeRenew, ({ sub, capability }, from) => subscriptions.renew(from, sub, capability))
  context.handle(storeHeads, async (request, from) => ({ unknown: await subscriptions.heads(request, from) }))
  context.handle(storeSeen, (mark, from) => {
    only('member', from)
    return seen(context, mark)
  })
}

const append = (
  context: StoreContext,
  { epoch, writes }: RequestOf<typeof storeAppend>,
): StoreMark | Promise<StoreMark> => {
  const rules = admissionRules(context)
  const { map } = context.view.current()
  const records: AdmittedRecord[] = []
  for (const write of writes) {
    for (const mailbox of write.mailboxes) {
      if (homesOf(map, mailbox).all.includes(context.transport.self)) continue
      throw new ChatError('RPC_INVALID', { message: `This store is no home of the mailbox ${mailbox}` })
    }
    const record = admit(write, rules)
    if (record) records.push(record)
  }
  const unverified = records.filter((record) => record.tombstone && !isKnown(context, record))
  if (unverified.length === 0) return keep(context, records)
  return verifyAll(context, unverified).then(() => atEpoch(context.gate, epoch, () => keep(context, records)))
}

const verifyAll = async (context: StoreContext, records: AdmittedRecord[]): Promise<void> => {
  await Promise.all(records.map((record) => verifyTombstone(context, record)))
}

/** Answers once everything is durable; in this very turn when it was already. */
const keep = (context: StoreContext, records: AdmittedRecord[]): StoreMark | Promise<StoreMark> => {
  const home = context.home()
  return stageRecords(home, records) ? home.queue.commit().then(() => home.mark) : home.mark
}

const isKnown = (context: StoreContext, { places, hour, recordKey }: AdmittedRecord): boolean =>
  places.every((place) => context.home().database.get(entryKey(place, hour, recordKey)) !== undefined)

const has = (context: StoreContext, { epoch, items }: RequestOf<typeof storeHas>): ResponseOf<typeof storeHas> => {
  context.gate.check(epoch)
  const home = context.home()
  const answer = items.map(({ mailbox, keys }) => {
    const place = placeOf(mailbox)
    return Buffer.from(splitKeys(keys).map((recordKey) => (findEntry(home, place, recordKey) ? 1 : 0)))
  })
  return { has: answer }
}

const subscribe = async (
  context: StoreContext,
  request: RequestOf<typeof storeSubscribe>,
  gateway: string,
): Promise<FeedPage> => {
  context.gate.check(request.epoch)
  context.assertReadable()
  const { cursor } = request
  if (cursor && isAhead(context, cursor)) await context.proveLoss({ by: 'device' })
  context.assertReadable()
  const { place } = context.subscriptions.open(request, gateway)
  const home = context.home()
  const after = cursor?.feed === home.facts.feed && !isAhead(context, cursor) ? cursor.number : 0
  const options = { after, limit: limits.maxFeedPageKeys, records: false, now: context.clock.now() }
  return { home: context.transport.self, ...(await readPage(home, place, options)) }
}

/** A device read further than this home goes: then the home lost something, or the device lies. */
const isAhead = (context: StoreContext, cursor: { feed: string; number: number }): boolean => {
  const { facts, numbers } = context.home()
  return cursor.feed === facts.feed && cursor.number > numbers.durableNumber && !mutant('feed-number-reused')
}

const page = async (
  context: StoreContext,
  request: RequestOf<typeof storePage>,
  gateway: string,
): Promise<FeedPage> => {
  context.gate.check(request.epoch)
  context.assertReadable()
  const { place } = context.subscriptions.get(gateway, request.sub)
  const { after, limit, records } = request
  const found = await readPage(context.home(), place, { after, limit, records, now: context.clock.now() })
  return { home: context.transport.self, ...found }
}

const fetch = (
  context: StoreContext,
  request: RequestOf<typeof storeFetch>,
  gateway: string,
): ResponseOf<typeof storeFetch> => {
  context.gate.check(request.epoch)
  const { place } = context.subscriptions.get(gateway, request.sub)
  const keys = splitKeys(request.keys)
  return { records: fetchRecords(context.home(), place, { keys, now: context.clock.now() }) }
}

/** A number above ours under our own feed id was given out by us and is gone. */
const seen = async (context: StoreContext, { feed, batch }: StoreMark): Promise<void> => {
  const { mark } = context.home()
  if (feed === mark.feed && batch > mark.batch && batch < MAX_BATCH) await context.proveLoss({ by: 'member', batch })
}
