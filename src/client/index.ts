// The client library: connect() opens a profile and gives its Chat. What programs import as 'chatd'.
import { ChatError } from '../protocol/errors.ts'
import type { Logger } from '../platform/ports.ts'
import { systemClock, systemRandom } from '../platform/system.ts'
import type { Chat } from './api.ts'
import { HttpBlobs } from './blob-http.ts'
import { gatewaysOf, rememberNamed } from './gateway-addresses.ts'
import { idMaker } from './ids.ts'
import { openLocalChat } from './open-local-chat.ts'
import { Profile, type ProfileData, type ProfileOptions } from './profile.ts'
import { checkCluster, link, register } from './registration.ts'
import { SharedChat } from './shared-chat.ts'
import { socketPath } from './socket-path.ts'
import { tryOpenStorage } from './storage.ts'
import { webSocketDial } from './websocket.ts'

export type * from './api.ts'
export { ChatError, type ErrorCode } from '../protocol/errors.ts'
export { listProfiles, type ProfileOptions } from './profile.ts'

export interface ConnectOptions extends ProfileOptions {
  /** Registers the profile first if it is new: with this name, or with that of the profile. */
  register?: boolean | string
  invite?: string
  log?: Logger
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
    await checkCluster(registrationOf(profile, options), known.cluster)
    rememberNamed(profile, options)
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
export const readProfile = (options: ProfileOptions): ProfileData => new Profile(options).known()

/**
 * Opens the profile and connects in the background. Any number of processes may do so at once.
 * PROFILE_MISSING, PROFILE_PERMISSIONS, DATA_DIRECTORY, NET_INSECURE, and with `register` what registering answers.
 */
export const connect = async (options: ConnectOptions = {}): Promise<Chat> => {
  const profile = new Profile(options)
  const name = typeof options.register === 'string' ? options.register : profile.name
  if (options.register && !profile.read()) await registerProfile({ ...options, name })
  rememberNamed(profile, options)
  const data = profile.known()
  const chat = new SharedChat({
    user: data.user,
    device: data.device,
    cluster: data.cluster,
    socketPath: socketPath(profile.directory),
    openDatabase: () => tryOpenStorage(profile.databasePath),
    openChat: (database) => openLocalChat(profile, options, database),
    makeId: idMaker(systemClock, systemRandom),
    blobs: new HttpBlobs(),
  })
  await chat.open()
  return chat
}
