// What a connection between peers costs per message, without what it need not cost. On the wire nothing differs, and a connection
// of another make is left as it is.
import type { MessageStream, SecuredConnection } from '@libp2p/interface'
import type { Socket } from 'node:net'

/** Bytes; below it the library's own WebAssembly is as fast as node:crypto. */
export const SMALL_BYTES = 600
/** The longest message of noise. */
const NOISE_BYTES = 65_535

/** Bytes in one piece or several, as the library hands them on. */
interface Bytes {
  byteLength: number
}

/** What a connection of @libp2p/tcp 11 has beside its interface. */
interface SocketConnection {
  socket: Socket
  sendData(bytes: Bytes & Iterable<Uint8Array>): { sentBytes: number; canSendMore: boolean }
}
/** What a connection of @libp2p/noise 17 has beside its interface. */
interface NoiseConnection {
  handshake: { decrypt(sealed: Bytes): Bytes }
  decrypt(message: Bytes): Bytes
}
const overSocket = (connection: object): connection is SocketConnection =>
  'socket' in connection && 'sendData' in connection
const isNoise = (connection: object): connection is NoiseConnection =>
  'handshake' in connection && 'decrypt' in connection

/** A message of noise is a length, a header, what it carries and a tag: four writes, each a packet of its own, become one. */
export const writeTogether = (connection: MessageStream): MessageStream => {
  if (!overSocket(connection)) return connection
  const { socket } = connection
  connection.sendData = (bytes) => {
    socket.cork()
    for (const piece of bytes) socket.write(piece)
    socket.uncork()
    return { sentBytes: bytes.byteLength, canSendMore: !socket.writableNeedDrain }
  }
  return connection
}

/** node:crypto decrypts into buffers of its own: the copy that the library makes as a place for the result is not needed. */
export const openWithoutCopy = <Secured extends SecuredConnection>(secured: Secured): Secured => {
  const { connection } = secured
  if (!isNoise(connection)) return secured
  const open = connection.decrypt.bind(connection)
  connection.decrypt = (message) => {
    const isLong = message.byteLength >= SMALL_BYTES && message.byteLength <= NOISE_BYTES
    return isLong ? connection.handshake.decrypt(message) : open(message)
  }
  return secured
}
