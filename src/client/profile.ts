// A profile's directory: the device's key, who it is, which gateways it knows. Readable by its owner only, refused otherwise.
// Files are replaced as a whole, so that a crash leaves the old or the new one.
import { randomBytes } from 'node:crypto'
import { chmodSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import envPaths from 'env-paths'
import { fromBase64, fromHex, toBase64, toHex } from '../protocol/bytes.ts'
import { openCertificate } from '../protocol/certificate.ts'
import { ChatError } from '../protocol/errors.ts'
import { isUserName } from '../protocol/names.ts'
import { makeDirectory } from '../platform/make-directory.ts'
import { writeNew, writeWhole } from '../platform/write-whole.ts'

const SEED_BYTES = 32
const OTHERS = 0o077
const MAX_GATEWAYS = 64

export interface ProfileData {
  user: string
  device: string
  cluster: string
  gateways: string[]
  /** The device's certificate, sealed, base64. */
  certificate: string
}

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

/** The directory of all profiles: `home`, else CHAT_HOME, else the user's data directory. */
const profilesHome = (home?: string): string => home ?? process.env.CHAT_HOME ?? envPaths('chat', { suffix: '' }).data

const profileName = (profile?: string): string => {
  const name = profile ?? process.env.CHAT_PROFILE ?? 'default'
  if (!isUserName(name))
    throw new ChatError('USAGE', { message: 'A profile is named like a user: a-z, 0-9, dot, underscore, dash' })
  return name
}

export class Profile {
  readonly name: string
  readonly directory: string

  constructor(options: { home?: string; profile?: string }) {
    this.name = profileName(options.profile)
    this.directory = join(profilesHome(options.home), this.name)
  }

  get databasePath(): string {
    return join(this.directory, 'db')
  }

  /** Of the terminal client. */
  get logPath(): string {
    return join(this.directory, 'tui.log')
  }

  get ledgerPath(): string {
    return join(this.directory, 'stored.ledger')
  }

  /** undefined when nobody registered with it yet. PROFILE_PERMISSIONS when others may read it, DATA_DIRECTORY when it is damaged. */
  read(): ProfileData | undefined {
    const path = this.#file('profile.json')
    const text = readPrivate(path)
    if (text === undefined) return undefined
    try {
      const data: unknown = JSON.parse(text)
      if (typeof data === 'object' && data !== null && 'certificate' in data) return data as ProfileData // written below
    } catch {
      // The same as any other damage.
    }
    throw damaged(path)
  }

  /** PROFILE_MISSING when nobody registered with it yet, else as read(). */
  known(): ProfileData {
    const data = this.read()
    if (!data) throw new ChatError('PROFILE_MISSING')
    return data
  }

  /** Keeps who the device is, after its certificate was verified. */
  write({
    cluster,
    certificate,
    gateways,
  }: {
    cluster: string
    certificate: Uint8Array
    gateways: string[]
  }): ProfileData {
    const { user, dev } = openCertificate(certificate, cluster)
    const data: ProfileData = {
      user,
      device: dev,
      cluster,
      gateways: [...new Set(gateways)].slice(0, MAX_GATEWAYS),
      certificate: toBase64(certificate),
    }
    this.#replace('profile.json', `${JSON.stringify(data, null, 2)}\n`)
    return data
  }

  /** Those that were named go first, those that were learned last; those known stay. */
  rememberGateways(gateways: string[], { first }: { first: boolean }): void {
    const data = this.read()
    if (!data || gateways.every((url) => data.gateways.includes(url))) return
    const all = first ? [...gateways, ...data.gateways] : [...data.gateways, ...gateways]
    this.write({ ...data, certificate: fromBase64(data.certificate), gateways: all })
  }

  rememberCertificate(certificate: Uint8Array): void {
    const data = this.read()
    if (data) this.write({ ...data, certificate })
  }

  /** The seed of the device's key; made on first use, and never again. */
  seed(): Uint8Array {
    const path = this.#file('device.key')
    const text = readPrivate(path)
    if (text === undefined) {
      this.#write(() => writeOnce(path, `${toHex(randomBytes(SEED_BYTES))}\n`))
      return this.seed()
    }
    const seed = fromHex(text.trim())
    if (seed.length !== SEED_BYTES) throw damaged(path)
    return seed
  }

  #file(name: string): string {
    return join(this.directory, name)
  }

  /** In a directory that is there and only its owner's. DATA_DIRECTORY when it cannot be. */
  #write(write: () => void): void {
    try {
      makeDirectory(this.directory)
      chmodSync(this.directory, 0o700)
      write()
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause)
      const message = `The profile’s directory ${this.directory} cannot be written (${why}); choose another with --home`
      throw new ChatError('DATA_DIRECTORY', { message, cause })
    }
  }

  #replace(name: string, text: string): void {
    const path = this.#file(name)
    this.#write(() => writeWhole(path, text))
  }
}

const damaged = (path: string): ChatError =>
  new ChatError('DATA_DIRECTORY', {
    message: `${path} is damaged; restore it from a copy, or register again with another --profile`,
  })

/** Two processes may begin a profile at once: the first one's key is that of both. */
const writeOnce = (path: string, text: string): void => {
  try {
    writeNew(path, text)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
}

/** The profiles in a home, by name, with whom they are. */
export const listProfiles = (home?: string): { profile: string; user: string; device: string; cluster: string }[] => {
  const directory = profilesHome(home)
  let names: string[]
  try {
    names = readdirSync(directory).filter(isUserName).sort()
  } catch {
    return []
  }
  return names.flatMap((profile) => {
    const data = new Profile({ home: directory, profile }).read()
    return data ? [{ profile, user: data.user, device: data.device, cluster: data.cluster }] : []
  })
}

const readPrivate = (path: string): string | undefined => {
  const file = statSync(path, { throwIfNoEntry: false })
  if (!file) return undefined
  if ((file.mode & OTHERS) !== 0 || (statSync(join(path, '..')).mode & OTHERS) !== 0) {
    throw new ChatError('PROFILE_PERMISSIONS', {
      message: `${path} can be read by others; run chmod 700 on its directory and chmod 600 on the file`,
    })
  }
  return readFileSync(path, 'utf8')
}
