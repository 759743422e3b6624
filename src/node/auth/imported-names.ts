// What an imported authority does first: reads the certificates of every shard from R homes, so that no name, key or serial that
// was given out after the export is given out again. Returns the rows to keep; writes nothing itself.
import type { DatabaseWrite } from '../../platform/ports.ts'
import { toBase64, toHex } from '../../protocol/bytes.ts'
import type { Certificate } from '../../protocol/certificate.ts'
import { ChatError } from '../../protocol/errors.ts'
import { mailboxOwner } from '../../protocol/names.ts'
import { repairEntries, storeState } from '../../protocol/rpc.ts'
import type { ClusterView, PeerTransport } from '../core/ports.ts'
import { SHARDS } from '../replication/placement.ts'
import type { CertificateHomes } from './issuer.ts'
import type { AuthTables } from './tables.ts'

/** The bucket of records that never expire: certificates. */
const NEVER_HOUR = 0xffffffff

export interface ImportPorts {
  transport: PeerTransport
  view: ClusterView
  mailboxes: CertificateHomes
  tables: AuthTables
}

/** QUORUM_UNAVAILABLE while too few homes answer. */
export const readAllCertificates = async (ports: ImportPorts): Promise<DatabaseWrite[]> => {
  const users = await usersOfAllHomes(ports)
  const found: Certificate[] = []
  for (const user of users) found.push(...(await ports.mailboxes.certificates(user)))
  found.sort((a, b) => a.serial - b.serial) // the newest of a key, and the first of a name, decide
  const { tables } = ports
  const names = new Map<string, Certificate>()
  for (const certificate of found) if (!names.has(certificate.user)) names.set(certificate.user, certificate)
  const serial = Math.max(tables.authority().serial, found.at(-1)?.serial ?? 0)
  return [
    ...[...names.values()]
      .filter(({ user }) => !tables.names.get(user))
      .map(({ user, publicKey, at }) => tables.names.put(user, { key: toHex(publicKey), at })),
    ...found.map(({ user, dev, publicKey, sealed }) =>
      tables.keys.put(toHex(publicKey), { user, dev, certificate: toBase64(sealed), stored: true }),
    ),
    tables.putAuthority({ serial }),
  ]
}

/** Every certificate is on W homes of its shard: it is seen if at most N - R of all homes are silent (or syncing). */
const usersOfAllHomes = async (ports: ImportPorts): Promise<Set<string>> => {
  const { current } = ports.view.current().map.homes
  const answers = await Promise.allSettled(current.peers.map((peer) => usersOfHome(ports, peer)))
  const users = new Set<string>()
  let silent = 0
  for (const answer of answers) {
    if (answer.status === 'fulfilled') for (const user of answer.value) users.add(user)
    else silent++
  }
  if (silent > current.n - current.r)
    throw new ChatError('QUORUM_UNAVAILABLE', { message: 'Too few stores answer to read all certificates' })
  return users
}

const usersOfHome = async ({ transport, view }: ImportPorts, peer: string): Promise<string[]> => {
  const { epoch } = view.current().map
  const { state } = await transport.call(peer, storeState, { epoch })
  if (state === 'syncing') throw new ChatError('STORE_SYNCING') // what it does not have proves nothing
  const users: string[] = []
  for (let shard = 0; shard < SHARDS; shard++) {
    let after: Uint8Array | undefined
    do {
      const request = { epoch, shard, hour: NEVER_HOUR, ...(after ? { after } : {}) }
      const page = await transport.call(peer, repairEntries, request)
      users.push(...page.mailboxes.filter((mailbox) => mailbox.startsWith('c:')).map(mailboxOwner))
      after = page.more ? page.next : undefined
    } while (after)
  }
  return users
}
