// The values of ledger rows. Each ends with a checksum over key and value, as entries do.
import { asBuffer, fromUtf8, toUtf8 } from '../../protocol/bytes.ts'
import type { Ballot } from '../../protocol/rpc.ts'
import type { RegisterState } from '../replication/acceptor.ts'
import { openSealedValue, sealValue } from './values.ts'

/** JSON of what is small, its length before it, the register's value behind it. */
interface RegisterHead {
  promised?: Ballot
  ballot?: Ballot
  isDecided: boolean
}
export const registerValue = (key: Buffer, { promised, accepted, isDecided }: RegisterState): Buffer => {
  const head: RegisterHead = {
    ...(promised ? { promised } : {}),
    ...(accepted ? { ballot: accepted.ballot } : {}),
    isDecided,
  }
  const text = toUtf8(JSON.stringify(head))
  const length = Buffer.allocUnsafe(2)
  length.writeUInt16BE(text.length, 0)
  return sealValue(key, Buffer.concat([length, text, accepted?.value ?? new Uint8Array(0)]))
}
/** undefined: damaged. */
export const openRegisterValue = (key: Uint8Array, bytes: Uint8Array): RegisterState | undefined => {
  const value = openSealedValue(key, bytes)
  if (!value) return undefined
  const end = 2 + value.readUInt16BE(0)
  const { promised, ballot, isDecided } = JSON.parse(fromUtf8(value.subarray(2, end))) as RegisterHead // written above
  return {
    ...(promised ? { promised } : {}),
    ...(ballot ? { accepted: { ballot, value: value.subarray(end) } } : {}),
    isDecided,
  }
}

export const versionValue = (key: Buffer, version: number): Buffer => {
  const value = Buffer.allocUnsafe(6)
  value.writeUIntBE(version, 0, 6)
  return sealValue(key, value)
}
export const openVersionValue = (key: Uint8Array, bytes: Uint8Array): number | undefined =>
  openSealedValue(key, bytes)?.readUIntBE(0, 6)

export interface FanOutValue {
  version: number
  acceptedAt: number
  /** Empty once it is done. */
  sealed: Uint8Array
}
const NUMBERS_BYTES = 12
export const fanOutValue = (key: Buffer, { version, acceptedAt, sealed }: FanOutValue): Buffer => {
  const numbers = Buffer.allocUnsafe(NUMBERS_BYTES)
  numbers.writeUIntBE(version, 0, 6)
  numbers.writeUIntBE(acceptedAt, 6, 6)
  return sealValue(key, Buffer.concat([numbers, asBuffer(sealed)]))
}
export const openFanOutValue = (key: Uint8Array, bytes: Uint8Array): FanOutValue | undefined => {
  const value = openSealedValue(key, bytes)
  if (!value) return undefined
  const [version, acceptedAt] = [value.readUIntBE(0, 6), value.readUIntBE(6, 6)]
  return { version, acceptedAt, sealed: value.subarray(NUMBERS_BYTES) }
}
