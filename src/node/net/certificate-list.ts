// Several certificates of one user as one DHT record: for each a u32 length, then its sealed bytes.
import { asBuffer } from '../../protocol/bytes.ts'
import { ChatError } from '../../protocol/errors.ts'

const LENGTH_BYTES = 4
/** Devices of one user; what is verified per record must stay small. */
const MAX_CERTIFICATES = 64

export const packCertificates = (certificates: Uint8Array[]): Buffer =>
  Buffer.concat(
    certificates.slice(-MAX_CERTIFICATES).flatMap((sealed) => {
      const length = Buffer.alloc(LENGTH_BYTES)
      length.writeUInt32BE(sealed.length)
      return [length, sealed]
    }),
  )

/** RPC_INVALID when the bytes are not such a list. */
export const unpackCertificates = (bytes: Uint8Array): Buffer[] => {
  const rest = asBuffer(bytes)
  const certificates: Buffer[] = []
  for (let at = 0; at < rest.length; ) {
    const start = at + LENGTH_BYTES
    const end = start <= rest.length ? start + rest.readUInt32BE(at) : Infinity
    if (end > rest.length || certificates.length === MAX_CERTIFICATES) {
      throw new ChatError('RPC_INVALID', { message: 'That is no list of certificates' })
    }
    certificates.push(rest.subarray(start, end))
    at = end
  }
  return certificates
}
