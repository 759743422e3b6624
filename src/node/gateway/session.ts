// The state of one client's socket: which phase it is in, who it proved to be, what is under way, whether it reads fast enough.
// It sends text and ends; what frames mean is decided elsewhere.
import type { Certificate } from '../../protocol/certificate.ts'
import { ChatError } from '../../protocol/errors.ts'
import type { Transcript } from '../../protocol/handshake.ts'
import type { ClientSocket } from '../core/ports.ts'
import { errorText, pushText } from './gateway-frames.ts'
import type { TokenBucket } from '../core/token-bucket.ts'

/** WebSocket close codes (RFC 6455 section 7.4.1). */
export const closeCodes = { goingAway: 1001, policy: 1008 } as const

export interface Identity {
  user: string
  device: string
  certificate: Certificate
  /** The sealed capability for this gateway, and when it ends. */
  capability: Uint8Array
  capabilityExpiresAt: number
}
/** What a device must sign before it is anybody. */
export interface Challenge {
  certificate: Certificate
  transcript: Transcript
}

/** Records of one push frame, in characters: a turn's pushes share frames up to this. */
const MAX_PUSH_CHARS = 192 * 1024
const MAX_IDLE_BYTES = 64 * 1024

export class Session {
  readonly id: string
  readonly socket: ClientSocket
  bucket: TokenBucket
  /** Frames that got no further than the dispatcher; made for the first. */
  faults: TokenBucket | undefined
  challenge: Challenge | undefined
  /** Resolves once the lease is at a router, or when that takes too long. */
  leased: Promise<void> = Promise.resolve()
  inFlight = 0
  isClosed = false
  /** Cancels the end of a socket that proves nothing. */
  cancelTimeout = (): void => {}
  /** Reads too slowly: nothing is pushed until it has caught up and was told. */
  isSlow = false
  /** Others may be told that its user is there. */
  isShown = false
  #identity: Identity | undefined
  #pushes = ''

  constructor(id: string, socket: ClientSocket, bucket: TokenBucket) {
    this.id = id
    this.socket = socket
    this.bucket = bucket
  }

  get isAuthenticated(): boolean {
    return this.#identity !== undefined
  }

  /** Whom this socket proved to be. AUTH_REQUIRED before that. */
  get identity(): Identity {
    if (!this.#identity) throw new ChatError('AUTH_REQUIRED')
    return this.#identity
  }

  authenticate(identity: Identity): void {
    if (!this.#identity) this.faults = undefined // the strangers' limit ends here
    this.#identity = identity
  }

  send(text: string): void {
    if (!this.isClosed) this.socket.send(text)
  }

  /** For what may get lost: nothing is added to what a slow client has not read yet. */
  sendIfIdle(text: string): void {
    if (!this.isSlow && this.socket.bufferedBytes < MAX_IDLE_BYTES) this.send(text)
  }

  /** Adds a record (as text) to the turn's push frame; true when it is the first, so that somebody calls flushPushes. */
  addPush(record: string): boolean {
    if (this.#pushes === '') {
      this.#pushes = record
      return true
    }
    if (this.#pushes.length + record.length > MAX_PUSH_CHARS) {
      this.send(pushText(this.#pushes))
      this.#pushes = record
    } else {
      this.#pushes += `,${record}`
    }
    return false
  }

  flushPushes(): void {
    const records = this.#pushes
    this.#pushes = ''
    if (records !== '') this.send(pushText(records))
  }

  /** Tells why, then ends the connection. */
  end(error: ChatError, code: number = closeCodes.policy): void {
    this.send(errorText(error))
    this.close(code, error.code)
  }

  close(code: number, reason: string): void {
    if (this.isClosed) return
    this.isClosed = true
    this.socket.close(code, reason)
  }
}
