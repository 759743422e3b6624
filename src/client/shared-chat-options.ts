// What a Chat that several programs share is made of: who it is, and where its owner would run if this program becomes the owner.
import type { Database } from '../platform/ports.ts'
import type { OwnerChat } from './api.ts'
import type { OwnerThread } from './owner-thread.ts'
import type { BlobTransfer } from './ports.ts'

interface HostHere {
  /** undefined when another process has it. */
  openDatabase: () => Promise<Database | undefined>
  openChat: (database: Database) => Promise<OwnerChat>
}
interface HostBeside {
  thread: Pick<OwnerThread, 'start' | 'close'>
}
/** This program owns the profile, if no other does, in its own turns or by a thread. */
export type SharedChatOptions = SharedChatPorts & (HostHere | HostBeside)
interface SharedChatPorts {
  user: string
  device: string
  cluster: string
  socketPath: string
  makeId: () => string
  /** For what this process fetches, whoever is the owner. */
  blobs: Pick<BlobTransfer, 'get'>
}
