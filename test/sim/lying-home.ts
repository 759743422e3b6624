// A home that lies about what it has of the ledger of groups: says yes and writes nothing, forgets, and tells each who asks another value
// as decided: one that lost, one that somebody signed who might not, one that nobody signed, none at all. Whatever it was told it may tell on.
import type { PeerTransport, RpcHandler } from '../../src/node/core/ports.ts'
import { openRegisterName, versionRegister } from '../../src/node/replication/ledger-keys.ts'
import {
  ledgerAccept,
  ledgerLearn,
  ledgerNewest,
  ledgerOpen,
  ledgerPrepare,
  ledgerRead,
  type RequestOf,
  type ResponseOf,
  type RpcMethod,
} from '../../src/protocol/rpc.ts'
import type { SeededRandom } from './random.ts'

/** Of its answers. */
const LIES = 0.3
const HIGH_ROUND = 1_000

/** A version of the group of that number which nobody may make; undefined when there is nobody to sign it. */
export type Hostile = (group: string, version: number) => Uint8Array | undefined

export class LyingHome {
  readonly #random: SeededRandom
  readonly #hostile: Hostile
  /** By register: every value that it was ever told, in hex, so that each is there once. */
  readonly #heard = new Map<string, Set<string>>()
  /** Highest version heard of by group. */
  readonly #newest = new Map<string, number>()

  constructor(random: SeededRandom, hostile: Hostile) {
    this.#random = random
    this.#hostile = hostile
  }

  /** As the store sees it, with its answers bent. */
  transport(inner: PeerTransport): PeerTransport {
    return {
      self: inner.self,
      call: (peer, method, request, options) => inner.call(peer, method, request, options),
      notify: (peer, method, request) => inner.notify(peer, method, request),
      isConnected: (peer) => inner.isConnected(peer),
      connectedPeers: () => inner.connectedPeers(),
      onPeerChange: (listener) => inner.onPeerChange(listener),
      handle: <Request, Response>(method: RpcMethod<Request, Response>, handler: RpcHandler<Request, Response>) => {
        const bend = this.#bends[method.name] as Bend<Request, Response> | undefined // the bend of that very method
        inner.handle(method, bend ? async (request, from) => bend(request, () => handler(request, from)) : handler)
      },
    }
  }

  readonly #bends: Record<string, Bend<never, unknown>> = {
    [ledgerPrepare.name]: bendOf<typeof ledgerPrepare>(async ({ key, epoch }, honest) => {
      const answer = await honest()
      if (!this.#lies()) return answer
      const { feed } = answer
      const value = this.#other(key)
      if (!value || this.#random.chance(0.3)) return { feed }
      if (this.#random.chance(0.5)) return { feed, decided: value }
      return { feed, accepted: { ballot: [epoch, HIGH_ROUND, ''], value } }
    }),
    [ledgerAccept.name]: bendOf<typeof ledgerAccept>(async ({ key, value }, honest) => {
      this.#hear(key, value)
      if (!this.#lies()) return honest()
      const other = this.#random.chance(0.5) ? this.#other(key) : undefined
      return other ? { decided: other } : {}
    }),
    [ledgerLearn.name]: bendOf<typeof ledgerLearn>(async ({ key, value }, honest) => {
      this.#hear(key, value)
      return this.#lies() ? { open: this.#random.bytes(this.#random.pick([0, 7])) } : honest()
    }),
    [ledgerRead.name]: bendOf<typeof ledgerRead>(async ({ key }, honest) => {
      const answer = await honest()
      const value = this.#lies() ? this.#other(key) : undefined
      return value ? { value, isDecided: true } : answer
    }),
    [ledgerNewest.name]: bendOf<typeof ledgerNewest>(async ({ group }, honest) => {
      const answer = await honest()
      if (!this.#lies()) return answer
      const newest = this.#newest.get(group) ?? 0
      const version = Math.max(0, newest - 1 + Math.floor(this.#random.float() * 3))
      const value = version > 0 ? this.#other(versionRegister(group, version)) : undefined
      if (!value) return { version: 0, isEstablished: false }
      return this.#random.chance(0.2) ? { version, isEstablished: true } : { version, value, isEstablished: true }
    }),
    [ledgerOpen.name]: bendOf<typeof ledgerOpen>(async (_request, honest) => {
      const { items } = await honest()
      const [group] = [...this.#newest.keys()]
      if (group === undefined || !this.#lies()) return { items }
      return { items: [{ group, version: 1, sealed: this.#random.bytes(80), acceptedAt: 0 }, ...items] }
    }),
  }

  #lies(): boolean {
    return this.#random.chance(LIES)
  }

  #hear(key: string, value: Uint8Array): void {
    const heard = this.#heard.get(key) ?? new Set()
    this.#heard.set(key, heard.add(Buffer.from(value).toString('hex')))
    const { version } = openRegisterName(key)
    if (version) this.#newest.set(version.group, Math.max(version.version, this.#newest.get(version.group) ?? 0))
  }

  #other(key: string): Uint8Array | undefined {
    const heard = [...(this.#heard.get(key) ?? [])].map((hex) => Buffer.from(hex, 'hex'))
    const { version } = openRegisterName(key)
    const hostile = version && this.#hostile(version.group, version.version)
    const choices = [...heard, ...heard, ...(hostile ? [hostile] : []), Buffer.from(this.#random.bytes(20))]
    return this.#random.pick(choices)
  }
}

type Bend<Request, Response> = (request: Request, honest: () => Response | Promise<Response>) => Promise<Response>
const bendOf = <Method extends RpcMethod<never, unknown>>(
  bend: Bend<RequestOf<Method>, ResponseOf<Method>>,
): Bend<never, unknown> => bend as Bend<never, unknown> // called with requests of this method only
