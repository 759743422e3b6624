// Which cluster a gateway belongs to, before anybody has proved anything: its map says so, and verifies by the very id it names.
import { fromBase64, fromUtf8 } from '../protocol/bytes.ts'
import { openMap } from '../protocol/cluster-map.ts'
import { ChatError } from '../protocol/errors.ts'
import { openBody } from '../protocol/sealed.ts'
import type { Session } from './session.ts'

/** AUTH_CLUSTER, AUTH_SIGNATURE for what is no map. */
export const clusterOf = async (session: Session): Promise<string> => {
  const { map } = await session.request('auth.map', {}, 'auth.map')
  const sealed = fromBase64(map)
  const { cluster } = JSON.parse(fromUtf8(openBody(sealed))) as { cluster?: unknown }
  if (typeof cluster !== 'string' || !/^[0-9a-f]{64}$/.test(cluster)) throw new ChatError('AUTH_CLUSTER')
  openMap(sealed, cluster)
  return cluster
}

/** AUTH_CLUSTER when the gateway says that it is of another cluster; nothing when it says anything else, or nothing. */
export const mustBeOfCluster = async (session: Session, cluster: string): Promise<void> => {
  const its = await clusterOf(session).catch(() => cluster)
  if (its === cluster) return
  throw new ChatError('AUTH_CLUSTER', {
    message: `The gateway ${session.url} is of another cluster than this profile; name one of its own with --gateway, or another profile with --profile`,
  })
}
