// Keeps the home open. A failed batch leaves LevelDB's handle broken: it is closed and opened again, for reading at first, and takes
// writes once the disk has room. Nothing is lost by that: what was acknowledged was on disk, what was not is checked like after a crash.

import { sleep } from '../../platform/timing.ts'
import { asChatError, ChatError } from '../../protocol/errors.ts'
import type { LossWitness } from './context.ts'
import type { Draft } from './commit-queue.ts'
import type { Home } from './home.ts'
import { conditionAfterLoss, newFeedId, openHome } from './open-home.ts'
import type { StorePorts } from './store-service.ts'

/** A device may lie about its cursor: it makes a home begin anew this often at most. */
const DEVICE_WITNESS_MS = 10 * 60_000

export interface KeeperOptions {
  reopenEveryMs: number
  onDurable: (draft: Draft) => void
  /** Cursors and subscriptions of the old feed are worth nothing any more. */
  onNewFeed: () => void
}

export class HomeKeeper {
  readonly #ports: StorePorts
  readonly #options: KeeperOptions
  #home: Home | undefined
  #takesWrites = true
  #signal: AbortSignal | undefined
  #lastDeviceWitness = -Infinity

  constructor(ports: StorePorts, options: KeeperOptions) {
    this.#ports = ports
    this.#options = options
  }

  /** DATA_DIRECTORY when the database cannot be opened. */
  async open(signal: AbortSignal): Promise<void> {
    this.#signal = signal
    this.#home = await this.#openHome()
  }

  get isOpen(): boolean {
    return this.#home !== undefined
  }

  /** False while the disk is full or broken. */
  get takesWrites(): boolean {
    return this.#takesWrites && this.isOpen
  }

  home(): Home {
    if (!this.#home) throw new ChatError('STORE_READ_ONLY', { message: 'The store is opening its database again' })
    return this.#home
  }

  assertTakesWrites(): void {
    if (!this.takesWrites) throw new ChatError('STORE_READ_ONLY')
  }

  /** Somebody saw more of this home than it holds: a new feed, and nobody may read until it was read back. */
  async proveLoss({ by, batch }: LossWitness): Promise<void> {
    const { clock, random, log } = this.#ports
    if (by === 'device') {
      if (clock.monotonic() - this.#lastDeviceWitness < DEVICE_WITNESS_MS) return
      this.#lastDeviceWitness = clock.monotonic()
    }
    const home = this.home()
    const isAlone = this.#isAlone()
    const feed = newFeedId(random)
    log.error(
      { by, batch, had: home.mark.batch, feed },
      'this home has lost records that it acknowledged; it begins a new feed',
    )
    if (batch !== undefined) home.skipBatches(batch)
    // A device alone must not be able to stop the writes of a cluster of one.
    const condition = by === 'device' && isAlone ? home.facts.condition : conditionAfterLoss(isAlone)
    const saved = home.saveFacts({ feed, condition })
    this.#options.onNewFeed()
    await saved
  }

  async close(): Promise<void> {
    const home = this.#home
    this.#home = undefined
    await home?.close()
  }

  #isAlone(): boolean {
    const { current } = this.#ports.view.current().map.homes
    return current.peers.length === 1 && current.peers[0] === this.#ports.transport.self
  }

  #openHome(): Promise<Home> {
    const { clock, disk, random, log, view } = this.#ports
    const events = {
      onDurable: this.#options.onDurable,
      onFailed: (home: Home, error: unknown) => {
        if (home === this.#home) void (this.#takesWrites ? this.#recover(home, error) : this.#closeHome(home))
      },
      onDamage: (home: Home) => {
        // A disk that breaks just now is opened anew, and checked then.
        if (home === this.#home) this.proveLoss({ by: 'member' }).catch(() => {})
      },
    }
    return openHome({ clock, disk, random, log, isAlone: this.#isAlone(), epoch: view.current().map.epoch, events })
  }

  async #recover(broken: Home, cause: unknown): Promise<void> {
    const { log, clock, disk } = this.#ports
    log.error(
      { error: asChatError(cause).message },
      'a batch could not be written; the store takes no writes until the disk is well',
    )
    this.#takesWrites = false
    await this.#closeHome(broken)
    while (!this.#signal?.aborted) {
      try {
        const hasRoom = (await disk.hasRoom?.()) !== false
        // A handle that was opened on a full disk may be broken already: LevelDB tidies up while it opens.
        if (hasRoom && this.#home) await this.#closeHome(this.#home)
        this.#home ??= await this.#openHome()
        if (this.#home.facts.feed !== broken.facts.feed) this.#options.onNewFeed()
        if (hasRoom) {
          this.#takesWrites = true
          log.info({}, 'the store takes writes again')
          return
        }
      } catch (error) {
        log.warn({ error: asChatError(error).message }, 'the database cannot be opened yet')
      }
      await sleep(clock, this.#options.reopenEveryMs, this.#signal)
    }
  }

  async #closeHome(home: Home): Promise<void> {
    this.#home = undefined
    await home.close().catch(() => {}) // it is broken, and its files are opened anew
  }
}
