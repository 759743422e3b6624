// Invites: codes with which users may register. Only their hash is kept, so that the database invites nobody.
import type { Clock, DatabaseWrite, RandomSource } from '../../platform/ports.ts'
import { toHex, toUtf8 } from '../../protocol/bytes.ts'
import { ChatError } from '../../protocol/errors.ts'
import { sha256 } from '../../protocol/signing.ts'
import { codeOf, normalizeCode } from '../../protocol/codes.ts'
import type { AuthTables } from './tables.ts'

const CODE_BYTES = 10
const MAX_USES = 1_000_000

const hashOf = (code: string): string => toHex(sha256(toUtf8(`invite/${normalizeCode(code)}`)))

export class Invites {
  readonly #tables: AuthTables
  readonly #clock: Clock
  readonly #random: RandomSource

  constructor({ tables, clock, random }: { tables: AuthTables; clock: Clock; random: RandomSource }) {
    this.#tables = tables
    this.#clock = clock
    this.#random = random
  }

  async create({ uses, ttlMs }: { uses: number; ttlMs: number }): Promise<{ code: string; expiresAt: number }> {
    if (!Number.isSafeInteger(uses) || uses < 1 || uses > MAX_USES || !(ttlMs > 0)) throw new ChatError('USAGE')
    const code = codeOf(this.#random.bytes(CODE_BYTES))
    const expiresAt = Math.round(this.#clock.now() + ttlMs)
    await this.#tables.write(this.#tables.invites.put(hashOf(code), { uses, expiresAt }))
    return { code, expiresAt }
  }

  /** The lock under which an invite is spent. */
  lockOf(code: string | undefined): string {
    return `invite/${code === undefined ? '' : hashOf(code)}`
  }

  /** The write that spends one use; AUTH_INVITE. To be kept in one batch with what it pays for. */
  spend(code: string | undefined): DatabaseWrite {
    if (code === undefined) throw new ChatError('AUTH_INVITE')
    const hash = hashOf(code)
    const entry = this.#tables.invites.get(hash)
    if (!entry || entry.expiresAt < this.#clock.now()) throw new ChatError('AUTH_INVITE')
    return entry.uses > 1
      ? this.#tables.invites.put(hash, { ...entry, uses: entry.uses - 1 })
      : this.#tables.invites.remove(hash)
  }
}
