// The owner's side of attachments: which files a message takes with it, what the messages that are here refer to, and the right to move
// their bytes. The bytes themselves are moved by uploads.ts and downloads.ts.
import { type Attachment, attachmentsOf } from '../protocol/content.ts'
import { ChatError } from '../protocol/errors.ts'
import { limits } from '../protocol/limits.ts'
import type { Transfer } from './api.ts'
import type { ChatState } from './chat-state.ts'
import type { ChatViews } from './chat-views.ts'
import { contentOf, type HeldMessage } from './held-records.ts'
import { type OutgoingFile, outgoingFile } from './outgoing-file.ts'
import type { BlobAccess, ClientPorts } from './ports.ts'
import type { Session } from './session.ts'
import { mustFit } from './uploads.ts'

export interface AttachmentsOptions {
  ports: ClientPorts['attachments']
  state: ChatState
  views: ChatViews
  session: () => Session | undefined
}

export class Attachments {
  readonly #options: AttachmentsOptions
  readonly #accesses = new WeakMap<Session, Promise<BlobAccess>>()

  constructor(options: AttachmentsOptions) {
    this.#options = options
  }

  /** Asked for once in a session, and good as long as the session. What failed is asked again. */
  access(session: Session): Promise<BlobAccess> {
    const known = this.#accesses.get(session)
    if (known) return known
    const asked = askAccess(session)
    this.#accesses.set(session, asked)
    asked.catch(() => this.#accesses.delete(session))
    return asked
  }

  /** Files that can be sent, as far as is known before they are read. FILE_UNKNOWN, FILE_DENIED, USAGE, BLOB_TOO_LARGE. */
  async outgoing(paths: readonly string[]): Promise<OutgoingFile[]> {
    if (paths.length === 0) return []
    const { ports, session } = this.#options
    if (!ports) throw new ChatError('USAGE', { message: 'This client sends no files' })
    if (paths.length > limits.maxAttachments)
      throw new ChatError('USAGE', { message: `A message takes at most ${limits.maxAttachments} files` })
    const files = await Promise.all(paths.map((path) => outgoingFile(ports.files, path)))
    const online = session()
    const access = online && (await this.access(online).catch(() => undefined)) // the upload asks again
    if (access) for (const file of files) mustFit(file, access.maxBlobBytes)
    return files
  }

  /** MESSAGE_UNKNOWN. */
  async of(id: string): Promise<Attachment[]> {
    const message = await this.#options.views.message(id)
    if (message.isDeleted) throw new ChatError('MESSAGE_UNKNOWN', { message: 'That message is deleted' })
    return attachmentsIn(message)
  }

  get transfers(): Transfer[] {
    return this.#options.state.uploads?.transfers ?? []
  }

  /** Bytes of the files of a message in the outbox that are there or under way. */
  sentOf(id: string): number {
    return this.transfers.reduce((sum, { message, sent }) => sum + (message === id ? sent : 0), 0)
  }
}

const askAccess = async (session: Session): Promise<BlobAccess> => {
  const { token, maxBlobBytes } = await session.request('media.token', {}, 'media.token')
  return { url: session.url, token, maxBlobBytes }
}

export const attachmentsIn = (message: HeldMessage): Attachment[] =>
  attachmentsOf(contentOf(message).attachments, message.header.blobs)
