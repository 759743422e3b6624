// Conversions between bytes and text, used on both sides of every wire.
// Owns no formats: what the bytes mean is declared by the file that uses them.

const utf8 = new TextEncoder()

export const toUtf8 = (text: string): Uint8Array => utf8.encode(text)
/** A Buffer over the same memory; never copies. */
export const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
export const fromUtf8 = (bytes: Uint8Array): string => asBuffer(bytes).toString('utf8')
export const toBase64 = (bytes: Uint8Array): string => asBuffer(bytes).toString('base64')
export const fromBase64 = (text: string): Buffer => Buffer.from(text, 'base64')
export const toHex = (bytes: Uint8Array): string => asBuffer(bytes).toString('hex')
export const fromHex = (text: string): Buffer => Buffer.from(text, 'hex')
export const concat = (...parts: Uint8Array[]): Buffer => Buffer.concat(parts)
export const equalBytes = (a: Uint8Array, b: Uint8Array): boolean => asBuffer(a).equals(b)
export const compareBytes = (a: Uint8Array, b: Uint8Array): number => Buffer.compare(a, b)

/** One character per byte: the cheapest form in which bytes can be the key of a Map. */
export const toMapKey = (bytes: Uint8Array): string => asBuffer(bytes).toString('latin1')
export const fromMapKey = (key: string): Buffer => Buffer.from(key, 'latin1')
