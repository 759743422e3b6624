// All feeds of this gateway: hands notices to the feed they are for, compares heads with the homes every few seconds (the safety net
// under notices), and reacts to homes and maps that come and go. Answers feed.open and feed.fetch.
import { mutant } from '../../platform/mutants.ts'
import type { Clock, Logger } from '../../platform/ports.ts'
import { repeat } from '../../platform/timing.ts'
import { concat, fromBase64, toBase64 } from '../../protocol/bytes.ts'
import { asChatError, ChatError } from '../../protocol/errors.ts'
import type { ClientFrame } from '../../protocol/frames.ts'
import { limits } from '../../protocol/limits.ts'
import { userMailbox } from '../../protocol/names.ts'
import { RECORD_KEY_BYTES, splitKeys } from '../../protocol/records.ts'
import { storeFetch, storeHeads, storeNotice, type StoredRecord } from '../../protocol/rpc.ts'
import type { ClusterView, PeerTransport } from '../core/ports.ts'
import type { Mailboxes } from '../replication/mailboxes.ts'
import { drained } from './drained.ts'
import { Feed } from './feed.ts'
import { frameText, recordsText, recordText } from './gateway-frames.ts'
import type { Session } from './session.ts'

export interface FeedsPorts {
  transport: PeerTransport
  view: ClusterView
  clock: Clock
  mailboxes: Mailboxes
  log: Logger
}

const MAX_HEADS_PER_CALL = 20_000

const keysOf = (base64: string): Buffer[] => {
  const bytes = fromBase64(base64)
  if (bytes.length % RECORD_KEY_BYTES !== 0 || bytes.length > limits.maxFetchKeys * RECORD_KEY_BYTES) {
    throw new ChatError('FRAME_INVALID', { message: `Keys are whole, and at most ${limits.maxFetchKeys} at once` })
  }
  return splitKeys(bytes)
}

export class Feeds {
  readonly #ports: FeedsPorts
  readonly #bySession = new Map<Session, Feed>()
  readonly #bySub = new Map<number, Feed>()
  #lastSub = 0

  constructor(ports: FeedsPorts) {
    this.#ports = ports
  }

  start(signal: AbortSignal): void {
    const { transport, view, clock, log } = this.#ports
    transport.handle(storeNotice, ({ pages }, from) => {
      for (const page of pages) this.#bySub.get(page.sub)?.notice(page.sub, from, page)
    })
    transport.onPeerChange((peer, connected) => {
      for (const feed of this.#bySession.values()) feed.peerChanged(peer, connected)
    })
    view.watch(() => {
      for (const feed of this.#bySession.values()) feed.mapChanged()
    })
    const onError = (error: ChatError): void => log.warn({ error: error.message }, 'comparing heads failed')
    void repeat({ clock, everyMs: limits.headsMs, signal, onError }, () => this.#compareHeads())
  }

  get counts(): { feeds: number; subscriptions: number } {
    return { feeds: this.#bySession.size, subscriptions: this.#bySub.size }
  }

  /** Opens the session's feed, in place of one that it has. */
  open(session: Session, { id, cursors }: ClientFrame<'feed.open'>): Promise<void> {
    const before = this.#bySession.get(session)
    this.close(session)
    const forget = (sub: number): void => void this.#bySub.delete(sub)
    const feed = new Feed({ ...this.#ports, register: (owner) => this.#register(owner), forget }, session)
    this.#bySession.set(session, feed)
    return feed.open(id, cursors, before?.hadLateHome ?? false)
  }

  close(session: Session): void {
    this.#bySession.get(session)?.end()
    this.#bySession.delete(session)
  }

  renew(session: Session): void {
    this.#bySession.get(session)?.renew()
  }

  /** The client reads too slowly: its feed ends, and once it has caught up it is told to open it again. */
  async slow(session: Session): Promise<void> {
    if (session.isSlow) return
    session.isSlow = true
    this.close(session)
    await drained(this.#ports.clock, session, 0)
    session.isSlow = false
    session.send(frameText('feed.slow', {}))
  }

  async fetch(session: Session, { id, home: peer, keys }: ClientFrame<'feed.fetch'>): Promise<void> {
    if (session.isSlow) throw new ChatError('FEED_SLOW')
    const asked = keysOf(keys)
    const { mailboxes, view } = this.#ports
    const origin = { home: peer, mailbox: userMailbox(session.identity.user), epoch: view.current().map.epoch }
    const answer = await this.#fetchFrom(session, peer, concat(...asked))
    const missing = asked.filter((_, i) => answer.records[i] === null)
    const found = answer.records.filter((record) => record !== null)
    const isConfirmed = await mailboxes.confirm(found, origin)
    const records = found
      .filter((_, i) => isConfirmed[i])
      .map(({ sealed, acceptedAt }) => recordText(toBase64(sealed), acceptedAt))
    await drained(this.#ports.clock, session, limits.maxBufferedBytesPerClient / 2)
    session.send(recordsText(id, records.join(), toBase64(concat(...missing))))
  }

  async #fetchFrom(session: Session, peer: string, keys: Uint8Array): Promise<{ records: (StoredRecord | null)[] }> {
    const feed = this.#bySession.get(session)
    const home = feed?.homeAt(peer)
    if (!home) throw new ChatError('PEER_UNREACHABLE', { message: 'That home is no part of the open feed' })
    try {
      return await this.#ports.mailboxes.homes.ask(peer, storeFetch, { sub: home.sub, keys })
    } catch (cause) {
      feed?.changed()
      throw new ChatError('PEER_UNREACHABLE', { cause })
    }
  }

  #register(feed: Feed): number {
    this.#lastSub++
    this.#bySub.set(this.#lastSub, feed)
    return this.#lastSub
  }

  async #compareHeads(): Promise<void> {
    if (mutant('lease-is-truth')) return
    const byHome = new Map<string, { subs: number[]; heads: number[] }>()
    for (const feed of this.#bySession.values()) {
      void feed.look()
      for (const { peer, sub, position, isLive } of feed.homes) {
        if (!isLive) continue
        let question = byHome.get(peer)
        if (!question) byHome.set(peer, (question = { subs: [], heads: [] }))
        question.subs.push(sub)
        question.heads.push(position)
      }
    }
    await Promise.all([...byHome].map(([peer, question]) => this.#compareWith(peer, question)))
  }

  async #compareWith(peer: string, { subs, heads }: { subs: number[]; heads: number[] }): Promise<void> {
    try {
      for (let i = 0; i < subs.length; i += MAX_HEADS_PER_CALL) {
        const request = { subs: subs.slice(i, i + MAX_HEADS_PER_CALL), heads: heads.slice(i, i + MAX_HEADS_PER_CALL) }
        const { unknown } = await this.#ports.transport.call(peer, storeHeads, request)
        for (const sub of unknown) this.#bySub.get(sub)?.changed()
      }
    } catch (error) {
      // It hangs, or the way to it does: what it would tell is missing, so those who rely on it look for another.
      this.#ports.log.info({ peer, error: asChatError(error).message }, 'a home did not compare heads')
      for (const sub of subs) this.#bySub.get(sub)?.changed()
    }
  }
}
