// The admin route with which an operator's program reads what this node's store holds, by the same calls that homes use among each other.
// Reads only, and only of the node itself; `chatd cluster check` compares the answers of all homes.
import { ChatError } from '../protocol/errors.ts'
import { fromPlainJson, toPlainJson } from '../protocol/json-bytes.ts'
import {
  type AnyRpcMethod,
  ledgerInspect,
  mediaState,
  mediaVerify,
  type RpcMethod,
  repairDigests,
  repairEntries,
  repairHours,
  repairRecords,
  storeAudit,
  storeCertificates,
  storeState,
} from '../protocol/rpc.ts'
import type { PeerTransport } from './core/ports.ts'

const READABLE: readonly AnyRpcMethod[] = [
  storeState,
  storeAudit,
  storeCertificates,
  repairDigests,
  repairHours,
  repairEntries,
  repairRecords,
  mediaState,
  mediaVerify,
  ledgerInspect,
]

interface InspectRequest {
  method: string
  request: unknown
}
const isInspectRequest = (body: unknown): body is InspectRequest =>
  typeof body === 'object' && body !== null && 'method' in body && typeof body.method === 'string' && 'request' in body

/** POST {method, request}, bytes as in protocol/json-bytes.ts; answers what the method answers. RPC_UNKNOWN, and what the store throws. */
export const inspectRoute =
  (transport: PeerTransport) =>
  async (body: unknown): Promise<unknown> => {
    if (!isInspectRequest(body)) throw new ChatError('USAGE', { message: 'The body is {method, request}' })
    const method = READABLE.find((each) => each.name === body.method)
    if (!method) throw new ChatError('RPC_UNKNOWN', { message: `${body.method} cannot be read here` })
    // The handler checks what it needs; the types of request and answer are not known here.
    const call = method as unknown as RpcMethod<unknown, unknown>
    return toPlainJson(await transport.call(transport.self, call, fromPlainJson(body.request)))
  }
