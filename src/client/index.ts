// The client library: connect() opens a profile and gives its Chat. What programs import as 'chatd'.
import { fromBase64 } from '../protocol/bytes.ts'
import { ChatError } from '../protocol/errors.ts'
import { isSealedByAside } from '../protocol/sealed.ts'
import { type Logger, silentLogger } from '../platform/ports.ts'
import { systemClock, systemRandom } from '../platform/system.ts'
import type { Chat, OwnerChat } from './api.ts'
import { HttpBlobs } from './blob-http.ts'
import { Identity } from './identity.ts'
import { idMaker } from './ids.ts'
import { Ledger } from './ledger.ts'
import { LocalChat } from './local-chat.ts'
import { localFiles } from './local-files.ts'
import { Profile, type ProfileData } from './profile.ts'
import { link, register } from './registration.ts'
import { SharedChat } from './shared-chat.ts'
import { socketPath } from './socket-path.ts'
import { tryOpenStorage } from './storage.ts'
import { checkGatewayUrl, webSocketDial } from './websocket.ts'

export type * from './api.ts'
export { ChatError, type ErrorCode } from '../protocol/errors.ts'
export { listProfiles } from './profile.ts'

export interface ProfileOptions {
  /** Name of the profile; else CHAT_PROFILE, else `default`. */
  profile?: string
  /** Directory that holds all profiles; else CHAT_HOME, else the user's data directory. */
  home?: string
  /** Address of a gateway, or several; remembered by the profile. */
  gateway?: string | string[]
  /** Allows plain ws:// to other machines. */
  insecure?: boolean
}
export interface ConnectOptions extends ProfileOptions {
  /** Registers the profile first if it is new: with this name, or with that of the profile. */
  register?: boolean | string
  invite?: string
  log?: Logger
}

const gatewaysOf = ({ gateway, insecure = false }: ProfileOptions): string[] => {
  const urls = gateway === undefined ? [] : typeof gateway === 'string' ? gateway.split(',') : gateway
  for (const url of urls) checkGatewayUrl(url, { insecure })
  return urls
}

/** The named gateways; those that the profile knows when there are none. */
const registrationOf = (profile: Profile, options: ProfileOptions) => ({
  dial: webSocketDial({ insecure: options.insecure ?? false }),
  clock: systemClock,
  gateways: gatewaysOf(options),
  seed: profile.seed(),
})

/** Makes a device key and claims `name` for it. The same name again is harmless; PROFILE_EXISTS for another one. */
export const registerProfile = async (
  options: ProfileOptions & { name: string; invite?: string },
): Promise<ProfileData> => {
  const profile = new Profile(options)
  const known = profile.read()
  if (known && known.user !== options.name) throw new ChatError('PROFILE_EXISTS')
  if (known) {
    profile.rememberGateways(gatewaysOf(options), { first: true })
    return known
  }
  const gateways = gatewaysOf(options)
  const certified = await register(registrationOf(profile, options), options)
  return profile.write({ ...certified, gateways })
}

/** Makes this profile a device of the user who approves the code. */
export const linkProfile = async (
  options: ProfileOptions & { onCode: (code: string) => void; signal?: AbortSignal },
): Promise<ProfileData> => {
  const profile = new Profile(options)
  if (profile.read()) throw new ChatError('PROFILE_EXISTS')
  const certified = await link(registrationOf(profile, options), options)
  return profile.write({ ...certified, gateways: gatewaysOf(options) })
}

/** Who a profile is, without connecting. PROFILE_MISSING. */
export const readProfile = (options: ProfileOptions): ProfileData => {
  const data = new Profile(options).read()
  if (!data) throw new ChatError('PROFILE_MISSING')
  return data
}

/**
 * Opens the profile and connects in the background. Any number of processes may do so at once.
 * PROFILE_MISSING, PROFILE_PERMISSIONS, DATA_DIRECTORY, NET_INSECURE, and with `register` what registering answers.
 */
export const connect = async (options: ConnectOptions = {}): Promise<Chat> => {
  const profile = new Profile(options)
  const name = typeof options.register === 'string' ? options.register : profile.name
  if (options.register && !profile.read()) await registerProfile({ ...options, name })
  profile.rememberGateways(gatewaysOf(options), { first: true })
  const data = readProfile(options)
  const chat = new SharedChat({
    user: data.user,
    device: data.device,
    cluster: data.cluster,
    socketPath: socketPath(profile.directory),
    openDatabase: () => tryOpenStorage(profile.databasePath),
    openChat: (database) => openLocal(profile, options, database),
    makeId: idMaker(systemClock, systemRandom),
    blobs: new HttpBlobs(),
  })
  await chat.open()
  return chat
}

const openLocal = async (
  profile: Profile,
  { insecure = false, log = silentLogger }: ConnectOptions,
  database: ConstructorParameters<typeof LocalChat>[0]['database'],
): Promise<OwnerChat> => {
  const data = profile.read()
  if (!data) throw new ChatError('PROFILE_MISSING')
  const identity = new Identity({
    cluster: data.cluster,
    secretKey: profile.seed(),
    sealed: fromBase64(data.certificate),
  })
  const ledger = new Ledger(profile.ledgerPath)
  const chat = new LocalChat(
    {
      clock: systemClock,
      random: systemRandom,
      database,
      dial: webSocketDial({ insecure }),
      isSealedBy: isSealedByAside,
      log,
      attachments: { blobs: new HttpBlobs(), files: localFiles },
    },
    {
      identity,
      gateways: data.gateways,
      onGateways: (urls) => profile.rememberGateways(urls, { first: false }),
      onCertificate: (sealed) => profile.rememberCertificate(sealed),
      onStored: (id) => ledger.add(id),
    },
  )
  await chat.open()
  return chat
}
