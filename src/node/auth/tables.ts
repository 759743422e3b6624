// What the authority remembers, as tables of JSON in its own small database: names, keys, invites, tickets.
// Changes are returned as writes, so that what belongs together reaches the disk in one synced batch.
import type { Database, DatabaseWrite } from '../../platform/ports.ts'
import { fromUtf8, toUtf8 } from '../../protocol/bytes.ts'
import type { Role } from '../../protocol/cluster-map.ts'

/** Who owns a name: the first key that claimed it, hex. */
export interface NameEntry {
  key: string
  at: number
}
/** By public key in hex: the certificate it was given. */
export interface KeyEntry {
  user: string
  dev: string
  /** Sealed, base64. */
  certificate: string
  /** False until W homes have the certificate: whoever asks again finishes it. */
  stored: boolean
}
/** By the hash of the code, hex: the code itself is nowhere. */
export interface InviteEntry {
  uses: number
  expiresAt: number
}
/** By ticket id. */
export interface TicketEntry {
  /** Base64; both sides prove that they know it. */
  secret: string
  roles: Role[]
  expiresAt: number
  /** Peer id of the node that joined with it. */
  usedBy?: string
}
/** The state of the authority itself; one row, `authority`. */
export interface AuthorityEntry {
  serial: number
  /** True until an imported authority has read the certificates of every shard. */
  mustRead: boolean
  /** Epoch at which the joint epoch under way began. */
  jointEpoch?: number | undefined
  /** Stores that are to leave, peer ids. */
  leaving: string[]
}

export class Table<Entry> {
  readonly #database: Database
  readonly #prefix: string

  constructor(database: Database, name: string) {
    this.#database = database
    this.#prefix = `${name}/`
  }

  get(key: string): Entry | undefined {
    const value = this.#database.get(toUtf8(this.#prefix + key))
    return value === undefined ? undefined : (JSON.parse(fromUtf8(value)) as Entry) // written by put below
  }

  put(key: string, entry: Entry): DatabaseWrite {
    return { key: toUtf8(this.#prefix + key), value: toUtf8(JSON.stringify(entry)) }
  }

  remove(key: string): DatabaseWrite {
    return { key: toUtf8(this.#prefix + key), value: undefined }
  }

  async entries(): Promise<[string, Entry][]> {
    const from = toUtf8(this.#prefix)
    const rows = await this.#database.range({ gte: from, lt: toUtf8(`${this.#prefix.slice(0, -1)}0`) }) // '0' follows '/'
    return rows.map(([key, value]) => [
      fromUtf8(key).slice(this.#prefix.length),
      JSON.parse(fromUtf8(value)) as Entry, // written by put above
    ])
  }
}

const AUTHORITY_ROW = 'row'

export class AuthTables {
  readonly names: Table<NameEntry>
  readonly keys: Table<KeyEntry>
  readonly invites: Table<InviteEntry>
  readonly tickets: Table<TicketEntry>
  readonly #authorities: Table<AuthorityEntry>
  readonly #database: Database
  /** The row as last written or about to be: two changes of one turn must both see it. */
  #authority: AuthorityEntry
  #waiting: { writes: DatabaseWrite[]; done: Promise<void> } | undefined
  #last: Promise<void> = Promise.resolve()

  constructor(database: Database) {
    this.#database = database
    this.names = new Table(database, 'name')
    this.keys = new Table(database, 'key')
    this.invites = new Table(database, 'invite')
    this.tickets = new Table(database, 'ticket')
    this.#authorities = new Table(database, 'authority')
    this.#authority = this.#authorities.get(AUTHORITY_ROW) ?? { serial: 0, mustRead: false, leaving: [] }
  }

  authority(): Readonly<AuthorityEntry> {
    return this.#authority
  }

  putAuthority(change: Partial<AuthorityEntry>): DatabaseWrite {
    this.#authority = { ...this.#authority, ...change }
    return this.#authorities.put(AUTHORITY_ROW, this.#authority)
  }

  /** Forgets the tickets with which these peers joined: whoever was removed comes back with a new one only. */
  async forgetTicketsOf(peers: readonly string[]): Promise<void> {
    const used = (await this.tickets.entries()).filter(
      ([, { usedBy }]) => usedBy !== undefined && peers.includes(usedBy),
    )
    if (used.length > 0) await this.write(...used.map(([id]) => this.tickets.remove(id)))
  }

  /** Resolves after fsync. Writes keep their order; those that wait for the one before share a batch. */
  write(...writes: DatabaseWrite[]): Promise<void> {
    if (this.#waiting) {
      this.#waiting.writes.push(...writes)
      return this.#waiting.done
    }
    const flush = (): Promise<void> => {
      this.#waiting = undefined
      return this.#database.batch(waiting.writes, { sync: true })
    }
    const waiting = { writes, done: this.#last.then(flush, flush) }
    this.#waiting = waiting
    this.#last = waiting.done.catch(() => {}) // each writer hears of its own failure
    return waiting.done
  }
}
