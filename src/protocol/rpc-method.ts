// How a method between nodes is declared, and the register of all of them. Used by the rpc-*.ts files only;
// everybody else imports rpc.ts, so that the register is whole.

import { ChatError } from './errors.ts'
import { checkOf, type ShapeOf } from './rpc-shape.ts'

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
  /** What a peer sent is a request of this method, as far as types go. */
  accepts: (request: unknown) => boolean
  /** What a peer sent is an answer of this method, as far as types go. */
  answers: (answer: unknown) => boolean
  /** Never there at run time: carries the types. */
  readonly types?: (request: Request) => Response
}
export type AnyRpcMethod = RpcMethod<never, unknown>

const methods = new Map<number, AnyRpcMethod>()
type Declaration<Request, Response> = Omit<AnyRpcMethod, 'accepts' | 'answers' | 'types'> & {
  request: ShapeOf<Request>
} & (Response extends void ? { answer?: undefined } : { answer: ShapeOf<Response> })
/** Throws for a number that is taken. */
export const declare = <Request, Response>({
  request,
  answer,
  ...rest
}: Declaration<Request, Response>): RpcMethod<Request, Response> => {
  if (methods.has(rest.number)) throw new Error(`RPC number ${rest.number} is taken`)
  const method = { ...rest, accepts: checkOf(request), answers: checkOf(answer ?? 'nothing') }
  methods.set(method.number, method)
  return method
}
/** What a peer sent as the answer. RPC_INVALID when it is none; the request may have had its effect. */
export const openAnswer = <Response>(method: RpcMethod<never, Response>, answer: unknown): Response => {
  if (method.answers(answer)) return answer as Response // as far as types go, which is just what was checked
  throw new ChatError('RPC_INVALID', { outcome: 'unknown', message: `That is no answer of ${method.name}` })
}
export const rpcMethods = (): AnyRpcMethod[] => [...methods.values()]
export const rpcMethodByNumber = (number: number): AnyRpcMethod | undefined => methods.get(number)

export type RequestOf<M> = M extends RpcMethod<infer Request, unknown> ? Request : never
export type ResponseOf<M> = M extends RpcMethod<never, infer Response> ? Response : never
