// Which program owns the profile at the moment: this one (itself or by a thread), or another that is called through its socket. Whoever
// gets hold of the database is the owner; when it goes, another takes its place. Knows nothing of what the owner is asked.
import { ChatError } from '../protocol/errors.ts'
import { ProfileClient } from './profile-client.ts'
import { closeOwner, type ProfileOwner, serveProfile } from './profile-owner.ts'
import type { SharedChatOptions } from './shared-chat-options.ts'

const RETRY_MS = 20
/** Nobody else holds a lock for so long without listening. */
const GIVE_UP_MS = 10_000

export type Role = { owner: ProfileOwner } | { client: ProfileClient }

export class SharedRole {
  readonly #options: SharedChatOptions
  readonly #onChange: () => void
  #role: Role | undefined
  #taking: Promise<Role> | undefined
  #isClosed = false

  /** `onChange`: the role is another, or the owner says that something changed. */
  constructor(options: SharedChatOptions, onChange: () => void) {
    this.#options = options
    this.#onChange = onChange
  }

  /** True while this process owns the profile. */
  get isOwner(): boolean {
    return this.#role !== undefined && 'owner' in this.#role
  }

  /** The role there is, else one that is taken now. DATA_DIRECTORY when the owner does not answer, NET_CLOSED after close(). */
  current(): Promise<Role> {
    if (this.#isClosed) return Promise.reject(new ChatError('NET_CLOSED', { message: 'The client was closed' }))
    if (this.#role) return Promise.resolve(this.#role)
    this.#taking ??= this.#take().finally(() => {
      this.#taking = undefined
    })
    return this.#taking
  }

  async close(): Promise<void> {
    this.#isClosed = true
    const role = this.#role ?? (await this.#taking?.catch(() => undefined))
    if (role && 'client' in role) role.client.close()
    if (role && 'owner' in role) await closeOwner(role.owner)
    if ('thread' in this.#options) await this.#options.thread.close()
  }

  async #take(): Promise<Role> {
    const deadline = performance.now() + GIVE_UP_MS
    for (;;) {
      const role = (await this.#own()) ?? (await this.#find())
      if (role) {
        this.#onChange()
        return role
      }
      if (performance.now() > deadline) {
        throw new ChatError('DATA_DIRECTORY', {
          message:
            'Another process holds this profile and does not answer (is it stopped?); end it or let it go on, then try again',
        })
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
    }
  }

  async #own(): Promise<Role | undefined> {
    const options = this.#options
    if ('thread' in options) {
      await options.thread.start()
      return undefined // it is found by its socket
    }
    const database = await options.openDatabase()
    const owner = database && (await serveProfile(database, options))
    if (!owner) return undefined
    owner.chat.onChange(() => this.#onChange())
    this.#role = { owner }
    return this.#role
  }

  async #find(): Promise<Role | undefined> {
    const client = await ProfileClient.open(this.#options.socketPath, () => this.#onChange())
    if (!client) return undefined
    // Set before it can be gone: nobody would take it back.
    this.#role = { client }
    void client.gone.then(() => {
      this.#role = undefined
      // Whoever waits for events or changes must not depend on the next call.
      if (!this.#isClosed) void this.current().catch(() => {})
    })
    return this.#role
  }
}
