// Noise whose output leaves in one system call, and whose keys are prepared once. libp2p writes each piece of an encrypted message by itself
// (its length, the head of a frame, 64 KiB, the tag), and each of those is a packet that wakes the peer; and it hands node:crypto the bytes
// of the key for each message, which costs more than encrypting 8 KiB. On the wire nothing differs; what is no TCP socket is left alone.
import { createSecretKey } from 'node:crypto'
import { Socket } from 'node:net'
import type { ConnectionEncrypter, MessageStream } from '@libp2p/interface'
import { type ICryptoInterface, noise } from '@libp2p/noise'
import { defaultCrypto, nodeCrypto } from '@libp2p/noise/crypto'

type Components = Parameters<ReturnType<typeof noise>>[0]
type Pieces = Iterable<Uint8Array> & { byteLength: number }
/** How a connection of @libp2p/tcp sends: declared by @libp2p/utils and by the transport, but not by the interface. */
interface SocketStream {
  socket: Socket
  sendData(data: Pieces): { sentBytes: number; canSendMore: boolean }
}

/** Below it the library's own WebAssembly is as fast as node:crypto. */
const SMALL_BYTES = 600

const prepared = new WeakMap<Uint8Array, Uint8Array>()
/** By the array that holds the key: each direction of a connection keeps its own, unchanged. */
const preparedKey = (key: Uint8Array): Uint8Array => {
  const known = prepared.get(key)
  if (known) return known
  // Not what it is declared to be: nodeCrypto hands it on to node:crypto, which takes both.
  const made = createSecretKey(key) as unknown as Uint8Array
  prepared.set(key, made)
  return made
}

export const noiseCrypto: ICryptoInterface = {
  ...defaultCrypto,
  chaCha20Poly1305Encrypt: (plain, nonce, ad, key) =>
    plain.byteLength < SMALL_BYTES
      ? defaultCrypto.chaCha20Poly1305Encrypt(plain, nonce, ad, key)
      : nodeCrypto.chaCha20Poly1305Encrypt(plain, nonce, ad, preparedKey(key)),
  chaCha20Poly1305Decrypt: (sealed, nonce, ad, key, target) =>
    sealed.byteLength < SMALL_BYTES
      ? defaultCrypto.chaCha20Poly1305Decrypt(sealed, nonce, ad, key, target)
      : nodeCrypto.chaCha20Poly1305Decrypt(sealed, nonce, ad, preparedKey(key), target),
}

export const corkedNoise =
  () =>
  (components: Components): ConnectionEncrypter => {
    const encrypter = noise({ crypto: noiseCrypto })(components)
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
