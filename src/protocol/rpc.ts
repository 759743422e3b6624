// What nodes say to each other: every method declared once, used by caller, handler, transport and docs/protocol.md.
// Payloads are plain objects, encoded with msgpack by the transport (and not at all inside one process); bytes are Uint8Array.
// The methods stand in rpc-*.ts by who answers them.

export {
  openAnswer,
  type AnyRpcMethod,
  type RequestOf,
  type ResponseOf,
  type RpcMethod,
  type RpcStream,
  rpcMethodByNumber,
  rpcMethods,
} from './rpc-method.ts'
export * from './rpc-cluster.ts'
export * from './rpc-mailboxes.ts'
export * from './rpc-repair.ts'
export * from './rpc-auth.ts'
export * from './rpc-ledger.ts'
export * from './rpc-media.ts'
export * from './rpc-group.ts'
