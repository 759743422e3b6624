// What gateways and nodes ask of the authority: registration, linking, revocation, renewal, moved addresses.
// Numbers are append-only: they are on the wire.
import { declare } from './rpc-method.ts'

export const authRegister = declare<{ claim: Uint8Array }, { certificate: Uint8Array }>({
  name: 'auth.register',
  number: 60,
  stream: 'control',
  timeoutMs: 10_000,
  request: { claim: 'bytes' },
  answer: { certificate: 'bytes' },
  doc: 'Claims a name for a key. Idempotent by key. AUTH_NAME_TAKEN, AUTH_INVITE, AUTH_KEY_WEAK.',
})
export const authLinkBegin = declare<{ claim: Uint8Array }, { code: string; certificate?: Uint8Array }>({
  name: 'auth.link-begin',
  number: 61,
  stream: 'control',
  timeoutMs: 10_000,
  request: { claim: 'bytes' },
  answer: { code: 'text', certificate: ['optional', 'bytes'] },
  doc: 'A new key asks for a code (idempotent); once approved the answer carries its certificate.',
})
export const authLinkLookup = declare<{ code: string }, { claim: Uint8Array }>({
  name: 'auth.link-lookup',
  number: 62,
  stream: 'control',
  timeoutMs: 10_000,
  request: { code: 'text' },
  answer: { claim: 'bytes' },
  doc: 'The claim behind a code. LINK_UNKNOWN.',
})
export const authLinkApprove = declare<
  { code: string; approval: Uint8Array; certificate: Uint8Array },
  { certificate: Uint8Array }
>({
  name: 'auth.link-approve',
  number: 63,
  stream: 'control',
  timeoutMs: 10_000,
  request: { code: 'text', approval: 'bytes', certificate: 'bytes' },
  answer: { certificate: 'bytes' },
  doc: 'A device of the user approves; `certificate` is the approver’s.',
})
export const authRevoke = declare<{ revocation: Uint8Array; certificate: Uint8Array }, { epoch: number }>({
  name: 'auth.revoke',
  number: 64,
  stream: 'control',
  timeoutMs: 10_000,
  request: { revocation: 'bytes', certificate: 'bytes' },
  answer: { epoch: 'count' },
  doc: 'Ends a device: enters the map as a revocation.',
})
export const authRenew = declare<{ certificate: Uint8Array; claim: Uint8Array }, { certificate: Uint8Array }>({
  name: 'auth.renew',
  number: 65,
  stream: 'control',
  timeoutMs: 10_000,
  request: { certificate: 'bytes', claim: 'bytes' },
  answer: { certificate: 'bytes' },
  doc: 'A certificate with a new expiry for the same key.',
})

export const authMoved = declare<{ addresses: string[] }, { epoch: number }>({
  name: 'auth.moved',
  number: 66,
  stream: 'control',
  timeoutMs: 10_000,
  request: { addresses: ['list', 'text'] },
  answer: { epoch: 'count' },
  doc: 'The calling member listens at these multiaddresses now; they enter the map. RPC_INVALID, PEER_DENIED.',
})
