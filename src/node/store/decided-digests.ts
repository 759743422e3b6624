// One digest for each shard of the registers that this home knows to be decided, so that two homes see at once what one of them was not
// told. What is promised or accepted differs between homes and does not count. In memory, by one scan when it is first asked for.
import { sha256 } from '../../protocol/signing.ts'
import { concat } from '../../protocol/bytes.ts'
import type { RegisterState } from '../replication/acceptor.ts'
import { eachRow } from './each-row.ts'
import { allRegisters, shardOfLedgerKey } from './keys.ts'
import { openRegisterValue } from './ledger-values.ts'
import { DIGEST_BYTES, ShardDigests } from './shard-digests.ts'
import type { StagedRows } from './staged-rows.ts'

/** They are decided once, whenever that was. */
const HOUR = 0

/** A look at all rows: whoever waits for it gets the very digests that later decisions are counted in. */
interface Look {
  /** Absent until all rows were read. */
  digests?: ShardDigests
  done?: Promise<ShardDigests>
}

export class DecidedDigests {
  readonly #rows: StagedRows
  #look: Look = {}
  /** Rises with each register that becomes decided. */
  #count = 0

  constructor(rows: StagedRows) {
    this.#rows = rows
  }

  async all(): Promise<Buffer> {
    const look = this.#look
    look.done ??= this.#read(look)
    return (await look.done).ofAll(HOUR)
  }

  add(key: Buffer, state: RegisterState): void {
    if (!state.isDecided) return
    this.#count += 1
    const { digests } = this.#look
    if (digests) addTo(digests, key, state)
  }

  /** A row was lost: all are looked at again when they are asked for. */
  forget(): void {
    this.#look = {}
  }

  async #read(look: Look): Promise<ShardDigests> {
    try {
      for (;;) {
        // Before the commit: what is decided while it is under way may be in the next batch, which nobody here waits for.
        const before = this.#count
        await this.#rows.commit()
        const digests = await this.#scan()
        // What was decided while we read may be counted or not.
        if (before === this.#count) return (look.digests = digests)
      }
    } catch (error) {
      delete look.done
      throw error
    }
  }

  async #scan(): Promise<ShardDigests> {
    const digests = new ShardDigests()
    await eachRow(this.#rows, allRegisters, (key, value) => {
      const state = openRegisterValue(key, value)
      if (state?.isDecided) addTo(digests, key, state)
    })
    return digests
  }
}

const addTo = (digests: ShardDigests, key: Uint8Array, { accepted }: RegisterState): void => {
  const digest = sha256(concat(key, accepted?.value ?? new Uint8Array(0))).subarray(0, DIGEST_BYTES)
  digests.add(shardOfLedgerKey(key), HOUR, digest)
}
