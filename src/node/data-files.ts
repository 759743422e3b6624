// The files of a node's data directory, and the lock that keeps a second process out. Secrets are 0600 in a directory of 0700,
// and refused otherwise; every file is written whole or not at all. It knows names and formats of files, not what they are for.
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { claimDataDirectory } from '../platform/data-directory.ts'
import { fileBlobs } from '../platform/file-blobs.ts'
import { fileDisk } from '../platform/file-disk.ts'
import type { BlobStore, Database, Disk } from '../platform/ports.ts'
import { writeWhole } from '../platform/write-whole.ts'
import { fromHex, toHex, toUtf8 } from '../protocol/bytes.ts'
import { ChatError } from '../protocol/errors.ts'

const FORBIDDEN_MODE = 0o077
const SEED_BYTES = 32

/** What a node remembers between its starts, so that it keeps name, identity and addresses. */
export interface NodeSettings {
  /** The cluster's id; absent until the directory belongs to one. */
  cluster?: string
  name?: string
  roles?: string[]
  listen?: string[]
  announce?: string[]
  ws?: string
  admin?: string
  /** The authority's join port. */
  join?: string
}

/** How other programs of this machine reach the running node. */
export interface AdminFile {
  url: string
  pid: number
}

const files = {
  settings: 'node.json',
  nodeKey: 'node.key',
  authorityKey: 'authority.key',
  map: 'cluster-map',
  admin: 'admin.json',
  token: 'admin-token',
} as const

const denied = (path: string, mode: number, wanted: string): ChatError =>
  new ChatError('PROFILE_PERMISSIONS', {
    message: `${path} can be reached by other users (mode ${(mode & 0o777).toString(8)}); run: chmod ${wanted} ${path}`,
    details: { path },
  })

/** PROFILE_PERMISSIONS unless only its owner can read and write it. */
const refuseOpenFile = (path: string, wanted: '600' | '700'): void => {
  const { mode } = statSync(path)
  if ((mode & FORBIDDEN_MODE) !== 0) throw denied(path, mode, wanted)
}

export class DataFiles {
  readonly dir: string

  /** Makes the directory if needed. DATA_DIRECTORY, PROFILE_PERMISSIONS. */
  constructor(dir: string) {
    claimDataDirectory(dir)
    refuseOpenFile(dir, '700')
    this.dir = dir
  }

  disk(): Disk {
    return fileDisk(this.dir)
  }

  blobs(): BlobStore {
    return fileBlobs(join(this.dir, 'blobs'))
  }

  /** Keeps every other process out until it is closed: LevelDB's lock ends with the process, however it ends. */
  lock(): Promise<Database> {
    return this.disk().openDatabase('lock')
  }

  settings(): NodeSettings {
    const text = this.#read(files.settings)
    return text ? (this.#parse(files.settings, text) as NodeSettings) : {} // written below
  }

  remember(change: NodeSettings): NodeSettings {
    const settings = { ...this.settings(), ...change }
    this.#write(files.settings, toUtf8(`${JSON.stringify(settings, undefined, 2)}\n`))
    return settings
  }

  /** The node's seed; made on first use. DATA_DIRECTORY for a member that lost it: another key is another node. */
  nodeSeed(make: () => Uint8Array): Buffer {
    const known = this.#seed(files.nodeKey)
    if (known) return known
    if (this.map()) {
      const path = join(this.dir, files.nodeKey)
      throw new ChatError('DATA_DIRECTORY', { message: `${path} is missing; restore it from a copy` })
    }
    return this.#writeSeed(files.nodeKey, make())
  }

  authoritySeed(): Buffer | undefined {
    return this.#seed(files.authorityKey)
  }

  writeAuthoritySeed(seed: Uint8Array): void {
    this.#writeSeed(files.authorityKey, seed)
  }

  map(): Buffer | undefined {
    return this.#read(files.map)
  }

  /** Returns once it is on disk. */
  writeMap(sealed: Uint8Array): void {
    this.#write(files.map, sealed)
  }

  admin(): AdminFile | undefined {
    const text = this.#read(files.admin)
    return text && (this.#parse(files.admin, text) as AdminFile) // written below
  }

  writeAdmin(admin: AdminFile | undefined): void {
    if (admin) this.#write(files.admin, toUtf8(`${JSON.stringify(admin)}\n`))
    else rmSync(join(this.dir, files.admin), { force: true })
  }

  /** The token of the admin endpoint; made on first use. */
  token(make: () => Uint8Array): string {
    const known = this.#read(files.token)
    if (known) {
      refuseOpenFile(join(this.dir, files.token), '600')
      return known.toString('utf8').trim()
    }
    const token = toHex(make())
    this.#write(files.token, toUtf8(`${token}\n`))
    return token
  }

  #seed(name: string): Buffer | undefined {
    const text = this.#read(name)
    if (!text) return undefined
    refuseOpenFile(join(this.dir, name), '600')
    const seed = fromHex(text.toString('utf8').trim())
    if (seed.length === SEED_BYTES) return seed
    throw new ChatError('DATA_DIRECTORY', { message: `${join(this.dir, name)} holds no key; restore it from a copy` })
  }

  #writeSeed(name: string, seed: Uint8Array): Buffer {
    this.#write(name, toUtf8(`${toHex(seed)}\n`))
    return Buffer.from(seed)
  }

  #parse(name: string, text: Buffer): unknown {
    try {
      const value: unknown = JSON.parse(text.toString('utf8'))
      if (typeof value === 'object' && value !== null) return value
    } catch {
      // The same as any other damage.
    }
    throw new ChatError('DATA_DIRECTORY', { message: `${join(this.dir, name)} is damaged; restore it from a copy` })
  }

  #read(name: string): Buffer | undefined {
    const path = join(this.dir, name)
    return existsSync(path) ? readFileSync(path) : undefined
  }

  #write(name: string, content: Uint8Array): void {
    try {
      writeWhole(join(this.dir, name), content)
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause)
      throw new ChatError('DATA_DIRECTORY', { message: `Cannot write ${join(this.dir, name)}: ${why}`, cause })
    }
  }
}
