// What runs on the thread of owner-thread.ts: opens the profile, owns it if no other process does, and serves it until it is told to close.
import { parentPort, workerData } from 'node:worker_threads'
import { fileLogger } from '../platform/file-logger.ts'
import { asChatError } from '../protocol/errors.ts'
import { rememberNamed } from './gateway-addresses.ts'
import { openLocalChat } from './open-local-chat.ts'
import type { OwnerWord } from './owner-thread.ts'
import { Profile, type ProfileOptions } from './profile.ts'
import { closeOwner, type ProfileOwner, serveProfile } from './profile-owner.ts'
import { socketPath } from './socket-path.ts'
import { tryOpenStorage } from './storage.ts'

const options = workerData as ProfileOptions // as owner-thread.ts gives them
const say = (word: OwnerWord): void => parentPort?.postMessage(word)

const open = async (): Promise<ProfileOwner | undefined> => {
  const profile = new Profile(options)
  rememberNamed(profile, options)
  const database = await tryOpenStorage(profile.databasePath)
  if (!database) return undefined
  const log = fileLogger(profile.logPath)
  const openChat = openLocalChat.bind(undefined, profile, { ...options, log })
  return serveProfile(database, { openChat, socketPath: socketPath(profile.directory) })
}

try {
  const owner = await open()
  // Until then the port keeps the thread alive.
  if (owner) parentPort?.once('message', () => void closeOwner(owner).then(() => parentPort?.close()))
  say({ owns: owner !== undefined })
} catch (error) {
  say({ error: asChatError(error).toWire() })
}
