// A libp2p stream as the byte stream under RPC.
import type { Stream } from '@libp2p/interface'
import { ChatError } from '../../protocol/errors.ts'
import type { RpcWire } from './rpc-stream.ts'

/** What a stream of yamux 8 has beside its interface. */
interface WindowedStream {
  state: number
  /** Bytes, and how many of them the other side may still send. */
  recvWindow: number
  recvWindowCapacity: number
  sendWindowUpdate(): void
}
const isWindowed = (stream: object): stream is WindowedStream =>
  'sendWindowUpdate' in stream && 'recvWindow' in stream && 'recvWindowCapacity' in stream && 'state' in stream
/** StreamState.Established of yamux: before, an update carries its acknowledgement. */
const ESTABLISHED = 3

/**
 * yamux tells after every frame that it was read: one more frame to encrypt, send and read for each of ours. The specification asks
 * only that the window never runs dry, so it is told at half (docs/decisions/0013). A stream of another make is left as it is.
 */
const tellWindowAtHalf = (stream: object): void => {
  if (!isWindowed(stream)) return
  const tell = stream.sendWindowUpdate.bind(stream)
  stream.sendWindowUpdate = () => {
    if (stream.state !== ESTABLISHED || stream.recvWindowCapacity * 2 <= stream.recvWindow) tell()
  }
}

export const wireOf = (stream: Stream): RpcWire => {
  tellWindowAtHalf(stream)
  return {
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
  }
}
