// Text of the frames a gateway sends. The frequent ones are put together by hand: their parts are numbers and base64,
// which need no escaping; so a record is never encoded a second time.
import type { ChatError } from '../../protocol/errors.ts'
import type { GatewayFrame, GatewayFrameType } from '../../protocol/frames.ts'

/** Any frame of the declared shape. */
export const frameText = <T extends GatewayFrameType>(type: T, fields: GatewayFrame<T>): string =>
  JSON.stringify({ t: type, ...fields })

export const errorText = (error: ChatError, id?: number): string =>
  JSON.stringify({ t: 'error', ...(id === undefined ? {} : { id }), ...error.toWire() })

export const storedText = (id: number, acceptedAt: number): string =>
  `{"t":"record.stored","id":${id},"at":${acceptedAt}}`

/** One element of `records`; `base64` must be canonical base64, so that it needs no escaping. */
export const recordText = (base64: string, acceptedAt: number): string => `["${base64}",${acceptedAt}]`
/** feed.records; `records`: elements joined by commas, `missing`: base64. */
export const recordsText = (id: number, records: string, missing: string): string =>
  `{"t":"feed.records","id":${id},"records":[${records}],"missing":"${missing}"}`
/** `records`: elements joined by commas. */
export const pushText = (records: string): string => `{"t":"record.push","records":[${records}]}`

/** Padded, and without stray bits before the padding. */
const CANONICAL_BASE64 = /^[A-Za-z0-9+/]+(?:[AQgw]==|[AEIMQUYcgkosw048]=)?$/
/** True for text that can stand in JSON as it is: the only base64 of its bytes. */
export const isBase64 = (text: string): boolean => text.length % 4 === 0 && CANONICAL_BASE64.test(text)
