// The pieces that frames of both directions are declared with: field schemas with their bounds, and what a declaration says besides.
import * as v from 'valibot'
import type { ErrorCode } from './errors.ts'
import { limits } from './limits.ts'

export const bytes = v.pipe(v.string(), v.maxLength(180_000), v.description('base64'))
export const count = v.pipe(v.number(), v.integer(), v.minValue(0))
/** Milliseconds since 1970. */
export const time = v.pipe(count, v.maxValue(limits.maxNumber))
export const id = v.pipe(count, v.description('chosen by the client, echoed by the reply'))
export const name = v.pipe(v.string(), v.maxLength(64))
export const nonce = v.pipe(v.string(), v.regex(/^[A-Za-z0-9+/]{43}=$/), v.description('32 random bytes, base64'))
export const cursors = v.pipe(
  v.record(
    v.pipe(v.string(), v.maxLength(128)),
    v.object({ feed: v.pipe(v.string(), v.maxLength(64)), number: count }),
  ),
  v.description('peer id of a home -> the device’s cursor there'),
)
export const record = v.pipe(v.tuple([bytes, time]), v.description('[sealed record, acceptedAt in ms]'))
export const keys = v.pipe(
  v.string(),
  v.maxLength(60_000),
  v.description('concatenated record keys of 32 bytes each, base64'),
)

/** before: only on a socket that has not authenticated; after: only once it has; always: both. */
type Phase = 'before' | 'after' | 'always'
export interface FrameDeclaration<Schema = v.GenericSchema> {
  schema: Schema
  phase: Phase
  reply?: string
  errors: ErrorCode[]
  doc: string
  example: Record<string, unknown>
}
export const frame = <Entries extends v.ObjectEntries>(
  entries: Entries,
  rest: Omit<FrameDeclaration, 'schema'>,
): FrameDeclaration<v.ObjectSchema<Entries, undefined>> => ({ schema: v.object(entries), ...rest })
