// What `chatd cluster` asks the nodes of a local cluster through their admin endpoints. Each call names its route and its answer once.
import type { Removal } from '../../node/admin-routes.ts'
import type { ClusterStatus } from '../../node/node-status.ts'
import type { ClusterMap } from '../../protocol/cluster-map.ts'
import { fromPlainJson, toPlainJson } from '../../protocol/json-bytes.ts'
import type { RpcMethod } from '../../protocol/rpc.ts'
import { adminCall } from '../admin-client.ts'
import { type NodeEntry, nodeDirectory } from './state.ts'

/** A status waits for one of a second inside the node. */
const ASK_MS = 3_000
const CHANGE_MS = 10_000
/** An audit reads everything the home holds. */
const INSPECT_MS = 90_000
const TICKET_MS = 10 * 60_000

const dataOf = (dir: string, node: NodeEntry): string => nodeDirectory(dir, node.name)

// The casts in this file: the answers are those of src/node/admin-routes.ts, of the same version as this program.

export const statusOf = async (dir: string, node: NodeEntry): Promise<ClusterStatus> =>
  (await adminCall({ data: dataOf(dir, node), path: '/status', timeoutMs: ASK_MS })) as ClusterStatus

export const mapOf = async (dir: string, node: NodeEntry): Promise<ClusterMap> =>
  (await adminCall({ data: dataOf(dir, node), path: '/map', timeoutMs: ASK_MS })) as ClusterMap

/** Of the node that holds the authority. */
export const requestTicket = async (dir: string, authority: NodeEntry, roles: string[]): Promise<string> => {
  const body = { roles, ttlMs: TICKET_MS }
  const answer = await adminCall({ data: dataOf(dir, authority), path: '/ticket', body, timeoutMs: CHANGE_MS })
  return (answer as { ticket: string }).ticket
}

export const removeFromMap = async (dir: string, authority: NodeEntry, name: string): Promise<Removal> => {
  const answer = adminCall({ data: dataOf(dir, authority), path: '/node/remove', body: { name }, timeoutMs: CHANGE_MS })
  return (await answer) as Removal
}

/** What the store of a node answers to this call of another home. */
export const inspect = async <Request, Response>(
  { dir, node }: { dir: string; node: NodeEntry },
  method: RpcMethod<Request, Response>,
  request: Request,
): Promise<Response> => {
  const body = { method: method.name, request: toPlainJson(request) }
  const answer = await adminCall({ data: dataOf(dir, node), path: '/inspect', body, timeoutMs: INSPECT_MS })
  return fromPlainJson(answer) as Response
}
