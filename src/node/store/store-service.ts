// The store: messages and receipts on their homes. Wires the parts of a home together and runs its loops.
// What it answers is in the handlers, how replicas meet in repair, what happens when the disk fails in the home keeper.

import { mutant } from '../../platform/mutants.ts'
import type { Clock, Disk, Logger, RandomSource } from '../../platform/ports.ts'
import { repeat } from '../../platform/timing.ts'
import { ChatError } from '../../protocol/errors.ts'
import { type StoreState, storeState } from '../../protocol/rpc.ts'
import type { ClusterView, PeerTransport } from '../core/ports.ts'
import type { Service } from '../core/service.ts'
import { assertCaller } from './access.ts'
import { cutoffHour } from './admission.ts'
import type { StoreContext } from './context.ts'
import { EpochGate, whileOpen } from './epoch-gate.ts'
import { sweepExpired } from './expiry.ts'
import type { Home } from './home.ts'
import { HomeKeeper } from './home-keeper.ts'
import { handleLedger, type LedgerContext } from './ledger-handlers.ts'
import { handleMailboxes } from './mailbox-handlers.ts'
import { handleRepair } from './repair-handlers.ts'
import { Repair } from './repair.ts'
import { scrub } from './scrub.ts'
import { Subscriptions } from './subscriptions.ts'

export interface StorePorts {
  transport: PeerTransport
  view: ClusterView
  clock: Clock
  random: RandomSource
  disk: Disk
  log: Logger
}
export interface StoreOptions {
  /** Pause between two comparisons with each other home. */
  repairEveryMs?: number
  /** Pause between two tries to open a broken or full disk. */
  reopenEveryMs?: number
  /** Pause between two removals of what has expired. */
  sweepEveryMs?: number
  /** Pause between two readings of everything, in search of damage. */
  scrubEveryMs?: number
}
const defaults = { repairEveryMs: 5_000, reopenEveryMs: 1_000, sweepEveryMs: 60_000, scrubEveryMs: 6 * 3_600_000 }

export interface StoreStatus extends StoreState {
  subscriptions: number
  /** It has forgotten nothing that it promised to group nodes. */
  takesPart: boolean
  /** Bytes that wait for the disk. */
  queuedBytes: number
}

export class StoreService implements Service {
  readonly name = 'store'
  readonly #ports: StorePorts
  readonly #options: Required<StoreOptions>
  readonly #keeper: HomeKeeper
  readonly #subscriptions: Subscriptions
  readonly #context: StoreContext
  readonly #repair: Repair

  constructor(ports: StorePorts, options: StoreOptions = {}) {
    const { transport, view, clock, log } = ports
    this.#ports = ports
    this.#options = { ...defaults, ...options }
    this.#keeper = new HomeKeeper(ports, {
      reopenEveryMs: this.#options.reopenEveryMs,
      onDurable: (draft) => this.#subscriptions.onDurable(draft.added),
      onNewFeed: () => this.#subscriptions.closeAll(),
    })
    const home = this.#keeper.home.bind(this.#keeper)
    const isOpen = (): boolean => this.#keeper.isOpen
    const onError = (error: ChatError): void => log.warn({ error: error.message }, 'a notice could not be sent')
    this.#subscriptions = new Subscriptions({ transport, view, clock, home, isOpen, onError })
    this.#context = this.#makeContext()
    this.#repair = new Repair(this.#context, { everyMs: this.#options.repairEveryMs })
  }

  async start(signal: AbortSignal): Promise<void> {
    const { transport, view, clock, log } = this.#ports
    await this.#keeper.open(signal)
    handleMailboxes(this.#context)
    handleRepair(this.#context)
    handleLedger(this.#ledgerContext())
    this.#context.handle(storeState, ({ epoch }, from) => {
      this.#context.assertCaller(from, ['member'])
      const wait = this.#context.gate.enter(epoch)
      return wait ? wait.then(() => this.#state()) : this.#state()
    })
    transport.onPeerChange((peer, connected) => {
      if (!connected) this.#subscriptions.closeGateway(peer)
    })
    view.watch(() => {
      this.#subscriptions.prune()
      this.#keepEpoch()
    })
    const onError = (error: ChatError): void =>
      log.warn({ error: error.message }, 'expired records could not be removed')
    void repeat({ clock, everyMs: this.#options.sweepEveryMs, signal, onError }, () => this.#sweep())
    this.#keepEpoch()
    this.#repair.start(signal)
    this.#scrubNowAndThen(signal)
  }

  async stop(): Promise<void> {
    this.#subscriptions.stop()
    await this.#keeper.close()
  }

  /** For the operator; of this home only. */
  status(): StoreStatus {
    const home = this.#keeper.isOpen ? this.#context.home() : undefined
    const { count: subscriptions } = this.#subscriptions
    const [queuedBytes, takesPart] = [home?.queue.queuedBytes ?? 0, home?.takesPart === true]
    return { ...this.#state(), subscriptions, takesPart, queuedBytes }
  }

  /** The operator knows that something is lost and wants to go on with what there is. */
  async acceptLoss(): Promise<void> {
    const home = this.#context.home()
    const { condition } = home.facts
    await home.saveFacts({ missing: 0, condition: condition === 'damaged' ? 'up' : condition })
  }

  #state(): StoreState {
    const { epoch } = this.#ports.view.current().map
    const { reconciled } = this.#repair
    if (!this.#keeper.isOpen) return { state: 'read-only', feed: '', batch: 0, epoch, reconciled, records: 0 }
    const home = this.#context.home()
    const { condition } = home.facts
    const isSyncing = condition === 'syncing' && !mutant('syncing-home-counted')
    const state = condition === 'damaged' || !this.#keeper.takesWrites ? 'read-only' : isSyncing ? 'syncing' : 'up'
    return { state, ...home.mark, epoch, reconciled, records: home.digests.count }
  }

  #makeContext(): StoreContext {
    const { transport, view, clock, random, log } = this.#ports
    const keeper = this.#keeper
    const home = (): ReturnType<HomeKeeper['home']> => keeper.home()
    const assertWritable = (): void => {
      if (!keeper.takesWrites || home().facts.condition === 'damaged') throw new ChatError('STORE_READ_ONLY')
    }
    const isReadable = (): boolean =>
      keeper.isOpen && (home().facts.condition !== 'syncing' || mutant('syncing-home-counted'))
    const gate = new EpochGate(view, { home, assertWritable: () => keeper.assertTakesWrites() })
    return {
      transport,
      view,
      clock,
      random,
      log,
      home,
      assertWritable,
      isReadable,
      isOpen: () => keeper.isOpen,
      subscriptions: this.#subscriptions,
      gate,
      handle: (method, handler) =>
        transport.handle(method, (request, from) => whileOpen(gate, () => handler(request, from))),
      assertReadable: () => {
        if (!isReadable()) throw new ChatError('STORE_SYNCING')
      },
      assertCaller: (peer, callers) => {
        if (peer !== transport.self) assertCaller(view.current().map, peer, callers)
      },
      proveLoss: (witness) => keeper.proveLoss(witness),
    }
  }

  #ledgerContext(): LedgerContext {
    const home = (): Home => this.#context.home()
    return {
      ...this.#context,
      ledger: () => home().ledger,
      feed: () => home().facts.feed,
      takesPart: () => home().takesPart,
    }
  }

  /** Writes a new epoch down before anybody asks, so that the first who does need not wait. */
  #keepEpoch(): void {
    const { log, view } = this.#ports
    try {
      const wait = this.#context.gate.enter(view.current().map.epoch)
      wait?.catch((error: unknown) => log.warn({ error: String(error) }, 'the epoch could not be written down'))
    } catch (error) {
      log.warn({ error: String(error) }, 'the epoch could not be written down')
    }
  }

  #scrubNowAndThen(signal: AbortSignal): void {
    const { clock, log } = this.#ports
    const onError = (error: ChatError): void =>
      log.warn({ error: error.message }, 'the search for damage was broken off')
    void repeat({ clock, everyMs: this.#options.scrubEveryMs, signal, onError }, () => scrub(this.#context, signal))
  }

  async #sweep(): Promise<void> {
    const { clock, log, view } = this.#ports
    this.#subscriptions.prune()
    if (!this.#keeper.isOpen || !this.#keeper.takesWrites) return
    const { retentionMs } = view.current().map
    const home = this.#context.home()
    const removed = await sweepExpired(home, { now: clock.now(), retentionMs })
    await home.ledger.fanOuts.sweep(cutoffHour(clock.now(), retentionMs))
    if (removed > 0) log.info({ removed }, 'removed expired entries')
  }
}
