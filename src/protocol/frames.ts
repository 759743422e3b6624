// The WebSocket protocol chat.v1: every frame declared once, with its schema, limits, errors and an example; docs/protocol.md is made from it.
// A frame is one JSON text message {"t": type, "id": number, …}; a reply echoes the id. Sealed bytes travel in base64.
import type * as v from 'valibot'
import type { clientFrames } from './client-frames.ts'
import type { gatewayFrames } from './gateway-frames.ts'

export { clientFrames } from './client-frames.ts'
export type { FrameDeclaration } from './frame-schema.ts'
export { gatewayFrames } from './gateway-frames.ts'

export type ClientFrameType = keyof typeof clientFrames
export type GatewayFrameType = keyof typeof gatewayFrames
export type ClientFrame<T extends ClientFrameType> = v.InferOutput<(typeof clientFrames)[T]['schema']>
export type GatewayFrame<T extends GatewayFrameType> = v.InferOutput<(typeof gatewayFrames)[T]['schema']>
