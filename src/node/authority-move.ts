// Moves the authority between the data directories of stopped nodes; a running one exports through its admin endpoint.
import { type AuthorityState, exportAuthority, importAuthority, parseAuthority } from './auth/authority-state.ts'
import type { DataFiles } from './data-files.ts'
import type { Database } from '../platform/ports.ts'
import { ChatError } from '../protocol/errors.ts'
import { keyPairFromSeed } from '../protocol/signing.ts'

export type { AuthorityState } from './auth/authority-state.ts'

/** CLUSTER_STATE when the key is not here. */
export const exportStoppedAuthority = async (files: DataFiles): Promise<AuthorityState> => {
  const seed = files.authoritySeed()
  if (seed) return withDatabase(files, (database) => exportAuthority(database, keyPairFromSeed(seed)))
  throw new ChatError('CLUSTER_STATE', {
    message: `${files.dir} does not hold the authority’s key; name the directory that does with --data`,
  })
}

/** From its next start on the node of this directory is the authority. USAGE, AUTH_CLUSTER, CLUSTER_STATE. */
export const importStoppedAuthority = async (files: DataFiles, text: string): Promise<{ cluster: string }> => {
  const { state, keyPair } = parseAuthority(text)
  const { cluster } = state
  if (files.settings().cluster !== cluster) {
    const message = `${files.dir} is no node of the cluster ${cluster}; join it first, with a ticket`
    throw new ChatError('AUTH_CLUSTER', { message })
  }
  await withDatabase(files, (database) => importAuthority(database, state))
  files.writeAuthoritySeed(keyPair.secretKey) // last: without it the rest has no effect
  return { cluster }
}

const withDatabase = async <Result>(
  files: DataFiles,
  work: (database: Database) => Promise<Result>,
): Promise<Result> => {
  const lock = await files.lock()
  try {
    const database = await files.disk().openDatabase('auth')
    try {
      return await work(database)
    } finally {
      await database.close()
    }
  } finally {
    await lock.close()
  }
}
