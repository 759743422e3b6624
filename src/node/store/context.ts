// What the handlers of a store share: its ports, the home that is open at the moment, and the questions everybody asks about it.

import type { Clock, Logger, RandomSource } from '../../platform/ports.ts'
import type { ClusterView, PeerTransport } from '../core/ports.ts'
import type { Caller } from './access.ts'
import type { AdmissionRules } from './admission.ts'
import type { EpochGate } from './epoch-gate.ts'
import type { Home } from './home.ts'
import type { Subscriptions } from './subscriptions.ts'

/** Who says that something is missing: a member of the cluster is believed, a device may lie. */
export interface LossWitness {
  by: 'member' | 'device'
  /** Batches up to this one were seen. */
  batch?: number
}

/** Handlers are registered by `handle` of the context, and in no other way. */
type StorePeers = Omit<PeerTransport, 'handle'>

export interface StoreContext {
  transport: StorePeers
  /** How everything here is registered: what fails while the database is being opened again is STORE_READ_ONLY. */
  handle: PeerTransport['handle']
  view: ClusterView
  clock: Clock
  random: RandomSource
  log: Logger
  gate: EpochGate
  subscriptions: Subscriptions
  /** STORE_READ_ONLY while none is open. */
  home(): Home
  /** STORE_READ_ONLY when it takes no writes. */
  assertWritable(): void
  /** STORE_SYNCING when it may not answer reads. */
  assertReadable(): void
  isReadable(): boolean
  /** False while the database is being opened again. */
  isOpen(): boolean
  /** PEER_DENIED unless `peer` is this store itself or a member of one of these kinds. */
  assertCaller(peer: string, callers: Caller[]): void
  /** Begins a new feed, and to sync when there is anybody to sync from. */
  proveLoss(witness: LossWitness): Promise<void>
}

export const admissionRules = ({ view, clock }: StoreContext): AdmissionRules => {
  const { cluster, retentionMs } = view.current().map
  return { cluster, retentionMs, now: clock.now() }
}
