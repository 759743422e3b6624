// Every request is made under one epoch of the cluster map. A home answers at its own only, and never again at a lower one:
// the epoch is on its disk, behind everything it took under the one before, ahead of its first answer under the new one.

import { mutant } from '../../platform/mutants.ts'
import { ChatError } from '../../protocol/errors.ts'
import type { ClusterView } from '../core/ports.ts'
import type { Home } from './home.ts'

export class EpochGate {
  readonly #view: ClusterView
  readonly #home: () => Home
  readonly #assertWritable: () => void
  /** While an epoch is being written down. */
  #pending: { done: Promise<void> } | undefined

  constructor(view: ClusterView, { home, assertWritable }: { home: () => Home; assertWritable: () => void }) {
    this.#view = view
    this.#home = home
    this.#assertWritable = assertWritable
  }

  /** Throws EPOCH_STALE with the newest map, or EPOCH_AHEAD. For what only reads. */
  check(epoch: number): void {
    const { map, sealed } = this.#view.current()
    const own = Math.max(map.epoch, this.#home().facts.epoch)
    if (epoch < own && !mutant('old-epoch-accepted')) {
      throw new ChatError('EPOCH_STALE', { details: { epoch: map.epoch, map: Buffer.from(sealed).toString('base64') } })
    }
    if (epoch > map.epoch) throw new ChatError('EPOCH_AHEAD', { details: { epoch: map.epoch } })
  }

  /**
   * The same for what promises something: a promise to wait for when the epoch is not on disk yet. After waiting check again:
   * the map may have changed meanwhile.
   */
  enter(epoch: number): Promise<void> | undefined {
    this.check(epoch)
    const home = this.#home()
    const { epoch: own } = this.#view.current().map
    if (home.facts.epoch < own) {
      this.#assertWritable()
      return this.#writeDown(home, own)
    }
    return this.#pending?.done
  }

  /** Returns whether the home of this moment is still the open one: what fails in a closed database is no fault of its own. */
  watchHome(): () => boolean {
    const home = this.#openHome()
    return () => home !== undefined && this.#openHome() === home
  }

  /** undefined while the database is being opened again: not everything needs it. */
  #openHome(): Home | undefined {
    try {
      return this.#home()
    } catch {
      return undefined
    }
  }

  #writeDown(home: Home, epoch: number): Promise<void> {
    const done = home.saveFacts({ epoch })
    const pending = { done }
    this.#pending = pending
    const clear = (): void => {
      if (this.#pending === pending) this.#pending = undefined
    }
    done.then(clear, clear)
    return done
  }
}

/** Runs `work` in the turn in which the epoch is entered, without a promise when nothing must be waited for. */
export const atEpoch = <T>(gate: EpochGate, epoch: number, work: () => T | Promise<T>): T | Promise<T> => {
  const wait = gate.enter(epoch)
  if (wait) return wait.then(() => atEpoch(gate, epoch, work))
  return work()
}

/** Around every handler (StoreContext.handle): what fails because the store is opening its database again is no fault of the request: STORE_READ_ONLY, and it may be repeated. */
export const whileOpen = <T>(gate: EpochGate, work: () => T | Promise<T>): T | Promise<T> => {
  const isOpen = gate.watchHome()
  const result = work()
  if (!(result instanceof Promise)) return result
  return result.catch((error: unknown) => {
    if (error instanceof ChatError || isOpen()) throw error
    throw new ChatError('STORE_READ_ONLY', { message: 'The store closed its database meanwhile', cause: error })
  })
}
