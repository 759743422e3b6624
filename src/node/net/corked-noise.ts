// Noise whose output leaves in one system call. libp2p writes each piece of an encrypted message by itself (its length, the head of a
// frame, 64 KiB, the tag), and each of those is a packet that wakes the peer. The bytes are the same; what is no TCP socket is left alone.
import { Socket } from 'node:net'
import type { ConnectionEncrypter, MessageStream } from '@libp2p/interface'
import { noise } from '@libp2p/noise'

type Components = Parameters<ReturnType<typeof noise>>[0]
type Pieces = Iterable<Uint8Array> & { byteLength: number }
/** How a connection of @libp2p/tcp sends: declared by @libp2p/utils and by the transport, but not by the interface. */
interface SocketStream {
  socket: Socket
  sendData(data: Pieces): { sentBytes: number; canSendMore: boolean }
}

export const corkedNoise =
  () =>
  (components: Components): ConnectionEncrypter => {
    const encrypter = noise()(components)
    return {
      protocol: encrypter.protocol,
      secureInbound: (connection, options) => encrypter.secureInbound(corked(connection), options),
      secureOutbound: (connection, options) => encrypter.secureOutbound(corked(connection), options),
    }
  }

const isSocketStream = (stream: object): stream is SocketStream =>
  'socket' in stream && stream.socket instanceof Socket && 'sendData' in stream

const corked = (connection: MessageStream): MessageStream => {
  if (!isSocketStream(connection)) return connection
  const { socket } = connection
  connection.sendData = (data) => {
    socket.cork()
    for (const piece of data) socket.write(piece)
    socket.uncork()
    return { sentBytes: data.byteLength, canSendMore: socket.writableLength < socket.writableHighWaterMark }
  }
  return connection
}
