// Moves the authority: its key and all that it remembers, as one JSON document. Whoever has the document is the authority, so it is
// written 0600 and never logged. What is imported reads the certificates of all shards before it issues anything.
import type { Database } from '../../platform/ports.ts'
import { fromHex, fromUtf8, toHex, toUtf8 } from '../../protocol/bytes.ts'
import { ChatError } from '../../protocol/errors.ts'
import { type KeyPair, keyPairFromSeed } from '../../protocol/signing.ts'
import { AuthTables } from './tables.ts'

export interface AuthorityState {
  format: 1
  cluster: string
  /** The authority's seed, hex. */
  key: string
  /** Every row of its database: key and JSON value. */
  rows: [string, string][]
}

const EVERYTHING = { gte: new Uint8Array(0) }

export const exportAuthority = async (database: Database, keyPair: KeyPair): Promise<AuthorityState> => {
  const rows = await database.range(EVERYTHING)
  return {
    format: 1,
    cluster: toHex(keyPair.publicKey),
    key: toHex(keyPair.secretKey),
    rows: rows.map(([key, value]) => [fromUtf8(key), fromUtf8(value)]),
  }
}

/** USAGE for what is no export. */
export const parseAuthority = (text: string): { state: AuthorityState; keyPair: KeyPair } => {
  try {
    const state = JSON.parse(text) as AuthorityState // checked below as far as it matters; the rest is data of our own
    const keyPair = keyPairFromSeed(fromHex(state.key))
    if (state.format === 1 && Array.isArray(state.rows) && toHex(keyPair.publicKey) === state.cluster)
      return { state, keyPair }
  } catch {
    // Said below.
  }
  throw new ChatError('USAGE', {
    message: 'That is no export of an authority; make one with chatd authority export FILE',
  })
}

/** Takes the place of what the database held. The joint epoch of the old place means nothing here: it is cancelled and begun again. */
export const importAuthority = async (database: Database, state: AuthorityState): Promise<void> => {
  const stale = (await database.keys(EVERYTHING)).map((key) => ({ key, value: undefined }))
  const rows = state.rows.map(([key, value]) => ({ key: toUtf8(key), value: toUtf8(value) }))
  await database.batch([...stale, ...rows], { sync: true })
  const tables = new AuthTables(database)
  await tables.write(tables.putAuthority({ mustRead: true, jointEpoch: undefined }))
}
