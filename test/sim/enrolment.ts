// How a device of the simulator gets its certificate: by registration, or by linking with the approval of another device.
// Speaks the frames itself, so that keys can be the same in every run.
import type { Dial } from '../../src/client/ports.ts'
import { Session } from '../../src/client/session.ts'
import { sleep } from '../../src/platform/timing.ts'
import type { Clock } from '../../src/platform/ports.ts'
import { fromBase64, toBase64 } from '../../src/protocol/bytes.ts'
import { ChatError } from '../../src/protocol/errors.ts'
import { seal } from '../../src/protocol/sealed.ts'
import type { NamedKey } from './keys.ts'

const AGAIN_MS = 200
const TRIES = 100

export interface Enrolment {
  clock: Clock
  dial: Dial
  url: string
  key: NamedKey
  cluster: string
  /** The name to register; absent when a device of the user approves. */
  user?: string
  approve?: (code: string) => Promise<unknown> | undefined
}

export const enrol = async (enrolment: Enrolment): Promise<Uint8Array> => {
  const { clock, dial, url } = enrolment
  for (let i = 0; i < TRIES; i++) {
    try {
      const session = await Session.open(dial, url, { clock, handlers: {}, onEnd: () => undefined })
      try {
        return await ask(session, enrolment)
      } finally {
        session.close()
      }
    } catch (error) {
      if (!(error instanceof ChatError) || !error.retryable) throw error
      await sleep(clock, AGAIN_MS)
    }
  }
  throw new ChatError('AUTH_UNAVAILABLE')
}

const ask = async (session: Session, { clock, key, cluster, user, approve }: Enrolment): Promise<Uint8Array> => {
  const header = { k: 'claim', key: toBase64(key.publicKey), at: clock.now(), ...(user ? { name: user } : {}) }
  const claim = toBase64(seal({ cluster, header, sign: key.sign }))
  if (user) return fromBase64((await session.request('auth.register', { claim }, 'auth.certified')).certificate)
  const { code } = await session.request('link.begin', { claim }, 'link.code')
  await approve?.(code)
  return fromBase64((await session.request('link.begin', { claim }, 'auth.certified')).certificate)
}
