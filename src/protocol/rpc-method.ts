// How a method between nodes is declared, and the register of all of them. Used by the rpc-*.ts files only;
// everybody else imports rpc.ts, so that the register is whole.

export type RpcStream = 'control' | 'data' | 'bulk'
export interface RpcMethod<Request, Response> {
  name: string
  /** On the wire; never reused. */
  number: number
  /** control = small and urgent; data = appends, records; bulk = bytes of blobs. One libp2p stream each, so that the large does not block the small. */
  stream: RpcStream
  /** undefined: one way, no answer, may be lost. */
  timeoutMs: number | undefined
  doc: string
  /** Never there at run time: carries the types. */
  readonly types?: (request: Request) => Response
}
export type AnyRpcMethod = RpcMethod<never, unknown>

const methods = new Map<number, AnyRpcMethod>()
/** Throws for a number that is taken. */
export const declare = <Request, Response>(m: RpcMethod<Request, Response>): RpcMethod<Request, Response> => {
  if (methods.has(m.number)) throw new Error(`RPC number ${m.number} is taken`)
  methods.set(m.number, m)
  return m
}
export const rpcMethods = (): AnyRpcMethod[] => [...methods.values()]
export const rpcMethodByNumber = (number: number): AnyRpcMethod | undefined => methods.get(number)

export type RequestOf<M> = M extends RpcMethod<infer Request, unknown> ? Request : never
export type ResponseOf<M> = M extends RpcMethod<never, infer Response> ? Response : never
