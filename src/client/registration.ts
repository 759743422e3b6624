// How a device gets its certificate: by claiming a name, or by being approved from another device of the user.
// The cluster's id is taken from the first gateway that answers, and from then on everything is verified against it.
import { equalBytes, fromBase64, toBase64 } from '../protocol/bytes.ts'
import { type ClaimHeader, openCertificate } from '../protocol/certificate.ts'
import { asChatError, ChatError, hasCode } from '../protocol/errors.ts'
import { seal } from '../protocol/sealed.ts'
import { fastSigner, keyPairFromSeed } from '../protocol/signing.ts'
import { sleep } from '../platform/timing.ts'
import type { Clock } from '../platform/ports.ts'
import type { Dial } from './ports.ts'
import { clusterOf, mustBeOfCluster } from './cluster-of.ts'
import { Session } from './session.ts'

const LINK_POLL_MS = 1_000

export interface RegistrationOptions {
  dial: Dial
  clock: Clock
  gateways: string[]
  /** 32 bytes: the device's key. */
  seed: Uint8Array
}
export interface Certified {
  cluster: string
  certificate: Uint8Array
}

/** AUTH_CLUSTER when the gateways of a profile are of another cluster; one that cannot be reached says nothing. */
export const checkCluster = async (options: Omit<RegistrationOptions, 'seed'>, cluster: string): Promise<void> => {
  try {
    await withGateway(options, (session) => mustBeOfCluster(session, cluster))
  } catch (error) {
    if (hasCode(error, 'AUTH_CLUSTER')) throw error
  }
}

/** AUTH_NAME_TAKEN, AUTH_NAME_ILLEGAL, AUTH_INVITE, AUTH_UNAVAILABLE, NET_UNAVAILABLE. The same key and name give the same device again. */
export const register = (
  options: RegistrationOptions,
  { name, invite }: { name: string; invite?: string },
): Promise<Certified> =>
  withGateway(options, async (session) => {
    const cluster = await clusterOf(session)
    const claim = makeClaim(options, cluster, { name, ...(invite === undefined ? {} : { invite }) })
    const reply = await session.request('auth.register', { claim }, 'auth.certified')
    return checked(reply.certificate, { cluster, seed: options.seed, name })
  })

/** Shows the code, then waits until another device approves it. */
export const link = async (
  options: RegistrationOptions,
  { onCode, signal }: { onCode: (code: string) => void; signal?: AbortSignal },
): Promise<Certified> => {
  let shown: string | undefined
  for (;;) {
    const answer = await withGateway(options, (session) => askForLink(session, options))
    if ('certificate' in answer) return answer
    if (shown !== answer.code) onCode(answer.code)
    shown = answer.code
    await sleep(options.clock, LINK_POLL_MS, signal)
    if (signal?.aborted) throw new ChatError('TIMEOUT', { message: 'The device was not approved' })
  }
}

/** Sockets that do not authenticate end soon, so each question has one of its own. */
const askForLink = async (session: Session, options: RegistrationOptions): Promise<Certified | { code: string }> => {
  const cluster = await clusterOf(session)
  const reply = await session.request('link.begin', { claim: makeClaim(options, cluster, {}) }, [
    'link.code',
    'auth.certified',
  ])
  return 'code' in reply ? { code: reply.code } : checked(reply.certificate, { cluster, seed: options.seed })
}

const makeClaim = (
  { seed, clock }: RegistrationOptions,
  cluster: string,
  rest: { name?: string; invite?: string },
): string => {
  const { publicKey } = keyPairFromSeed(seed)
  const header: ClaimHeader = { k: 'claim', key: toBase64(publicKey), ...rest, at: clock.now() }
  return toBase64(seal({ cluster, header, sign: fastSigner(seed) }))
}

/** AUTH_SIGNATURE unless the authority certified this very key, and for the name it claims. */
const checked = (
  certificate: string,
  { cluster, seed, name }: { cluster: string; seed: Uint8Array; name?: string },
): Certified => {
  const sealed = fromBase64(certificate)
  const { publicKey, user } = openCertificate(sealed, cluster)
  if (!equalBytes(publicKey, keyPairFromSeed(seed).publicKey) || (name !== undefined && user !== name)) {
    throw new ChatError('AUTH_SIGNATURE', { message: 'The gateway answered with the certificate of another device' })
  }
  return { cluster, certificate: sealed }
}

/** The first gateway that can be reached does it; the next only when that one could not be reached at all. */
const withGateway = async <T>(
  { dial, clock, gateways }: Omit<RegistrationOptions, 'seed'>,
  use: (session: Session) => Promise<T>,
): Promise<T> => {
  let last: ChatError = new ChatError('USAGE', { message: 'Which gateway? Say --gateway ws://HOST:PORT' })
  for (const url of gateways) {
    let session: Session | undefined
    try {
      session = await Session.open(dial, url, { clock, handlers: {}, onEnd: () => {} })
      return await use(session)
    } catch (error) {
      last = asChatError(error)
      if (!hasCode(last, 'NET_UNAVAILABLE', 'NET_CLOSED', 'GATEWAY_DRAINING', 'AUTH_UNAVAILABLE')) throw last
    } finally {
      session?.close()
    }
  }
  throw last
}
