// A libp2p stream as the byte stream under RPC.
import type { Stream } from '@libp2p/interface'
import { ChatError } from '../../protocol/errors.ts'
import type { RpcWire } from './rpc-stream.ts'

export const wireOf = (stream: Stream): RpcWire => ({
  send: (bytes) => stream.send(bytes),
  pause: () => stream.pause(),
  resume: () => stream.resume(),
  end: (error) => {
    if (error) stream.abort(error)
    else void stream.close().catch(() => stream.abort(new ChatError('NET_CLOSED')))
  },
  listen: ({ data, drained, closed }) => {
    stream.addEventListener('drain', drained)
    stream.addEventListener('close', closed)
    stream.addEventListener('remoteCloseWrite', closed)
    // Last: bytes that arrived before are handed over once this listener is there.
    stream.addEventListener('message', ({ data: bytes }) => {
      // A list is what came in several pieces: the reader of frames joins them once.
      if (bytes instanceof Uint8Array) data(bytes)
      else for (const piece of bytes) data(piece)
    })
  },
})
