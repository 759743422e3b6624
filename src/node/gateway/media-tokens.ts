// With what a client says over HTTP whose session it belongs to: a token per session, made when asked for, gone with the session.
import type { RandomSource } from '../../platform/ports.ts'
import { toHex } from '../../protocol/bytes.ts'
import type { ClientFrame } from '../../protocol/frames.ts'
import { frameText } from './gateway-frames.ts'
import type { Session } from './session.ts'

const TOKEN_BYTES = 24

export class MediaTokens {
  readonly #random: RandomSource
  readonly #maxBlobBytes: number
  readonly #sessions = new Map<string, Session>()
  readonly #tokens = new Map<Session, string>()

  constructor(random: RandomSource, maxBlobBytes: number) {
    this.#random = random
    this.#maxBlobBytes = maxBlobBytes
  }

  /** The same one each time it is asked for. */
  handle(session: Session, { id }: ClientFrame<'media.token'>): void {
    let token = this.#tokens.get(session)
    if (token === undefined) {
      token = toHex(this.#random.bytes(TOKEN_BYTES))
      this.#tokens.set(session, token)
      this.#sessions.set(token, session)
    }
    session.send(frameText('media.token', { id, token, maxBlobBytes: this.#maxBlobBytes }))
  }

  sessionOf(token: string): Session | undefined {
    return this.#sessions.get(token)
  }

  end(session: Session): void {
    const token = this.#tokens.get(session)
    if (token === undefined) return
    this.#tokens.delete(session)
    this.#sessions.delete(token)
  }
}
