// A Chat for programs that draw: everything of it that takes time runs on a thread beside the program's own (owner-thread.ts), or in the
// process that owns the profile already. It may be called at once; calls wait until it is open. Loads little.
import { systemClock, systemRandom } from '../platform/system.ts'
import type { Chat } from './api.ts'
import { idMaker } from './ids.ts'
import { OwnerThread } from './owner-thread.ts'
import type { BlobTransfer } from './ports.ts'
import { Profile, type ProfileOptions } from './profile.ts'
import { SharedChat } from './shared-chat.ts'
import { socketPath } from './socket-path.ts'

export interface ChatBeside {
  chat: Chat
  /** Rejects with why it cannot be opened: what connect() rejects with. */
  opened: Promise<void>
  /** Called when the thread crashed; another one goes on. */
  onCrash: (listener: (error: Error) => void) => void
}

/** Loading http takes as long as a good part of the first screen; most never fetch a file. */
const lateBlobs = (): Pick<BlobTransfer, 'get'> => {
  let blobs: Promise<BlobTransfer> | undefined
  return {
    async *get(...part) {
      blobs ??= import('./blob-http.ts').then(({ HttpBlobs }) => new HttpBlobs())
      yield* (await blobs).get(...part)
    },
  }
}

/** PROFILE_MISSING, PROFILE_PERMISSIONS, DATA_DIRECTORY. `program`: what runs on the thread. */
export const connectBeside = (options: ProfileOptions, program?: URL): ChatBeside => {
  const profile = new Profile(options)
  const { user, device, cluster } = profile.known()
  const listeners: ((error: Error) => void)[] = []
  const chat = new SharedChat({
    user,
    device,
    cluster,
    socketPath: socketPath(profile.directory),
    thread: new OwnerThread({
      options,
      onCrash: (error) => listeners.forEach((listener) => listener(error)),
      ...(program ? { program } : {}),
    }),
    makeId: idMaker(systemClock, systemRandom),
    blobs: lateBlobs(),
  })
  const opened = chat.open()
  opened.catch(() => {}) // whoever draws hears of it when the screen is there
  return { chat, opened, onCrash: (listener) => void listeners.push(listener) }
}
