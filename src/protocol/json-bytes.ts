// Plain objects with bytes in them as JSON: each Uint8Array becomes {"$bytes": base64}. For the admin endpoint only, where readability
// and no further dependency count for more than size.
import { fromBase64, toBase64 } from './bytes.ts'

const FIELD = '$bytes'

export const toPlainJson = (value: unknown): unknown => {
  if (value instanceof Uint8Array) return { [FIELD]: toBase64(value) }
  if (Array.isArray(value)) return value.map(toPlainJson)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, toPlainJson(inner)]))
}

export const fromPlainJson = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(fromPlainJson)
  if (typeof value !== 'object' || value === null) return value
  const entries: [string, unknown][] = Object.entries(value)
  const [only] = entries
  if (entries.length === 1 && only?.[0] === FIELD && typeof only[1] === 'string') return fromBase64(only[1])
  return Object.fromEntries(entries.map(([key, inner]) => [key, fromPlainJson(inner)]))
}
