// Drives changes of the homes through joint epochs (docs/architecture.md, Stores in detail): nodes that joined become homes, nodes that are to leave
// stop being ones; the same for the homes of messages and of attachments. One change at a time. It becomes final only when every home
// of the next set says that it has reconciled at the joint epoch; one that does not get there is cancelled back to the old set, which
// is always safe.
import type { Clock, Logger } from '../../platform/ports.ts'
import { mutant } from '../../platform/mutants.ts'
import { repeat } from '../../platform/timing.ts'
import { type ClusterMap, homeSet } from '../../protocol/cluster-map.ts'
import { asChatError } from '../../protocol/errors.ts'
import type { RpcMethod } from '../../protocol/rpc.ts'
import type { ClusterView, PeerTransport } from '../core/ports.ts'
import { type HomeKind, homeKinds, type KeeperState } from './home-kinds.ts'
import type { MapWriter } from './map-writer.ts'
import type { AuthTables } from './tables.ts'

const TURN_MS = 300
const CANCEL_MS = 60_000
/** After a cancelled change, before the same nodes are tried again. */
const RETRY_MS = 30_000

export interface HomeChangesPorts {
  transport: PeerTransport
  view: ClusterView
  clock: Clock
  log: Logger
  tables: AuthTables
  writer: MapWriter
}

const isSame = (a: string[], b: string[]): boolean => [...a].sort().join() === [...b].sort().join()

export class HomeChanges {
  readonly #ports: HomeChangesPorts
  /** When this process began to watch the joint epoch under way, by the monotonic clock. */
  #jointSince: number | undefined
  #retryAt = 0

  constructor(ports: HomeChangesPorts) {
    this.#ports = ports
  }

  /** `mayAct` is asked before each turn. */
  start(signal: AbortSignal, mayAct: () => boolean): void {
    const { clock, log } = this.#ports
    const onError = (error: Error): void => log.warn({ error: error.message }, 'a change of the homes has to wait')
    void repeat({ clock, everyMs: TURN_MS, signal, onError }, async () => {
      if (mayAct()) await this.turn()
    })
  }

  /** Takes the next step if there is one. Public for tests. */
  async turn(): Promise<void> {
    const { clock, view } = this.#ports
    const { map } = view.current()
    for (const kind of homeKinds) {
      const { next } = kind.sets(map)
      if (next) return this.#finish(kind, map, next.peers)
    }
    this.#jointSince = undefined
    await this.#removeThoseThatLeft(map)
    for (const kind of homeKinds) {
      if (clock.monotonic() < this.#retryAt || (await this.#begin(kind, view.current().map))) return
    }
  }

  /** True when a change is under way. */
  async #begin(kind: HomeKind, map: ClusterMap): Promise<boolean> {
    const { tables, writer, log } = this.#ports
    const { current } = kind.sets(map)
    const wanted = await this.#wanted(kind, map)
    if (wanted.length === 0 || isSame(wanted, current.peers)) return false
    // One that a crash left behind would let the coming change become final too early.
    if (tables.authority().jointEpoch !== undefined) await tables.write(tables.putAuthority({ jointEpoch: undefined }))
    const signed = await writer.change((newest) => {
      if (!wanted.every((peer) => kind.mayKeep(newest, peer))) return undefined // one was removed meanwhile
      const sets = kind.sets(newest)
      if (homeKinds.some((each) => each.sets(newest).next) || !isSame(sets.current.peers, current.peers))
        return undefined
      if (sets.current.peers.length === 0) return kind.withSets(newest, { current: homeSet(wanted) })
      return kind.withSets(newest, { current: sets.current, next: homeSet(wanted) })
    })
    if (!kind.sets(signed.map).next) return false
    await tables.write(tables.putAuthority({ jointEpoch: signed.map.epoch }))
    log.info({ of: kind.name, from: current.peers, to: wanted, epoch: signed.map.epoch }, 'a change of the homes began')
    return true
  }

  /** Present homes stay until told to leave, whatever their state; new ones come in once they answer. */
  async #wanted(kind: HomeKind, map: ClusterMap): Promise<string[]> {
    const { leaving } = this.#ports.tables.authority()
    const { current } = kind.sets(map)
    const eligible = map.nodes
      .map(({ peer }) => peer)
      .filter((peer) => kind.isEligible(map, peer) && !leaving.includes(peer))
    const staying = current.peers.filter((peer) => eligible.includes(peer))
    const candidates = eligible.filter((peer) => !staying.includes(peer))
    const states = await Promise.all(candidates.map((peer) => this.#statesOf(kind, map, peer)))
    const isReady = (state: KeeperState | undefined): boolean => state !== undefined && state.state !== 'read-only'
    const wanted = [...staying, ...candidates.filter((_, index) => states[index]?.every(isReady))]
    return wanted.length === 0 ? kind.otherwise(map) : wanted
  }

  async #finish(kind: HomeKind, map: ClusterMap, next: string[]): Promise<void> {
    const { clock, tables, log } = this.#ports
    const { jointEpoch } = tables.authority()
    const now = clock.monotonic()
    this.#jointSince ??= now
    if (jointEpoch === undefined) {
      // Nothing can be proven about a joint epoch whose beginning is not known: an authority that was moved, or a crash.
      await this.#cancel(kind, map, 0)
    } else if (await this.#hasReconciled(kind, map, { next, jointEpoch })) {
      await this.#publishHomes(kind, next)
      log.info({ of: kind.name, homes: next }, 'a change of the homes is final')
    } else if (now - this.#jointSince > CANCEL_MS) {
      await this.#cancel(kind, map, RETRY_MS)
    } else return
    await tables.write(tables.putAuthority({ jointEpoch: undefined }))
  }

  async #hasReconciled(
    kind: HomeKind,
    map: ClusterMap,
    { next, jointEpoch }: { next: string[]; jointEpoch: number },
  ): Promise<boolean> {
    const states = await Promise.all(next.map((peer) => this.#statesOf(kind, map, peer)))
    return (
      states.flat().every((state) => state !== undefined && state.reconciled >= jointEpoch) ||
      mutant('final-before-reconciled')
    )
  }

  async #cancel(kind: HomeKind, map: ClusterMap, retryInMs: number): Promise<void> {
    const { clock, log } = this.#ports
    const { current, next } = kind.sets(map)
    await this.#publishHomes(kind, current.peers)
    this.#retryAt = clock.monotonic() + retryInMs
    log.warn({ of: kind.name, homes: current.peers, given: next?.peers }, 'a change of the homes was cancelled')
  }

  async #publishHomes(kind: HomeKind, peers: string[]): Promise<void> {
    await this.#ports.writer.change((map) =>
      kind.sets(map).next ? kind.withSets(map, { current: homeSet(peers) }) : undefined,
    )
  }

  async #removeThoseThatLeft(map: ClusterMap): Promise<void> {
    const { tables, writer } = this.#ports
    const { leaving } = tables.authority()
    const isHome = (peer: string): boolean => homeKinds.some((kind) => kind.sets(map).current.peers.includes(peer))
    const gone = leaving.filter((peer) => !isHome(peer))
    if (gone.length === 0) return
    await tables.forgetTicketsOf(gone)
    await writer.change((newest) =>
      newest.nodes.some((node) => gone.includes(node.peer))
        ? { ...newest, nodes: newest.nodes.filter((node) => !gone.includes(node.peer)) }
        : undefined,
    )
    await tables.write(
      tables.putAuthority({ leaving: tables.authority().leaving.filter((peer) => !gone.includes(peer)) }),
    )
  }

  /** Of each service whose data move with these homes; undefined for one that does not answer now. */
  #statesOf(kind: HomeKind, map: ClusterMap, peer: string): Promise<(KeeperState | undefined)[]> {
    return Promise.all(kind.states(map).map((method) => this.#stateOf(method, peer, map.epoch)))
  }

  async #stateOf(
    method: RpcMethod<{ epoch: number }, KeeperState>,
    peer: string,
    epoch: number,
  ): Promise<KeeperState | undefined> {
    const { transport, log } = this.#ports
    if (!transport.isConnected(peer)) return undefined
    try {
      return await transport.call(peer, method, { epoch })
    } catch (error) {
      log.debug({ peer, error: asChatError(error).message }, 'a store does not say its state')
      return undefined
    }
  }
}
