// One Chat for any number of processes of a profile: every call goes to who owns it now (shared-role.ts), and is repeated under the same
// id when the owner goes while it is under way. Callers notice nothing.
import { resolve } from 'node:path'
import { ChatError } from '../protocol/errors.ts'
import { systemClock, systemRandom } from '../platform/system.ts'
import type {
  Chat,
  ChatEvent,
  ChatGroups,
  FetchedAttachment,
  FetchOptions,
  GroupChangeOptions,
  LiveEvent,
  LiveOptions,
  OwnerChat,
  ReactionResult,
  ReferenceOptions,
  ReferenceResult,
  SendOptions,
  SendResult,
} from './api.ts'
import { Downloads } from './downloads.ts'
import { ownerStream } from './owner-stream.ts'
import { callByName, type SharedMethod } from './profile-calls.ts'
import { type CallOptions, OwnerGone } from './profile-client.ts'
import type { SharedChatOptions } from './shared-chat-options.ts'
import { SharedRole } from './shared-role.ts'

const DEFAULT_TIMEOUT_MS = 30_000

export class SharedChat implements Chat {
  readonly user: string
  readonly device: string
  readonly cluster: string
  readonly #options: SharedChatOptions
  readonly #listeners = new Set<() => void>()
  readonly #closing = new AbortController()
  readonly #downloads: Downloads
  readonly #role: SharedRole

  constructor(options: SharedChatOptions) {
    this.#options = options
    this.user = options.user
    this.device = options.device
    this.cluster = options.cluster
    this.#role = new SharedRole(options, () => this.#changed())
    this.#downloads = new Downloads({
      clock: systemClock,
      random: systemRandom,
      blobs: options.blobs,
      access: () => this.blobAccess(),
      attachments: (id) => this.attachments(id),
    })
  }

  /** Becomes the owner, or finds it. */
  async open(): Promise<void> {
    await this.#role.current()
  }

  /** True while this process owns the profile. */
  get isOwner(): boolean {
    return this.#role.isOwner
  }

  send(to: string, text: string, options: SendOptions = {}): Promise<SendResult> {
    // Paths are those of this process, wherever the owner runs.
    const files = options.files?.map((path) => resolve(path))
    // What both methods answer.
    return this.#wait('send', [to, text], { ...options, ...(files ? { files } : {}) }) as Promise<SendResult>
  }

  forward(id: string, to: string, options: SendOptions = {}): Promise<SendResult> {
    return this.#wait('forward', [id, to], options) as Promise<SendResult> // what Chat.forward answers
  }

  edit(id: string, text: string, options: ReferenceOptions = {}): Promise<ReferenceResult> {
    return this.#wait('edit', [id, text], options) as Promise<ReferenceResult> // what Chat.edit answers
  }

  delete(id: string, options: ReferenceOptions = {}): Promise<ReferenceResult> {
    return this.#wait('delete', [id], options) as Promise<ReferenceResult> // what Chat.delete answers
  }

  react(id: string, emoji: string, options: ReferenceOptions & { active?: boolean } = {}): Promise<ReactionResult> {
    return this.#wait('react', [id, emoji], options) as Promise<ReactionResult> // what Chat.react answers
  }

  fetchAttachments(id: string, options: FetchOptions = {}): Promise<FetchedAttachment[]> {
    return this.#downloads.fetch(id, options)
  }

  readAttachment(id: string, index: number, options: { signal?: AbortSignal } = {}): AsyncIterable<Uint8Array> {
    return this.#downloads.read(id, index, options)
  }

  readonly history = this.#shared('history')
  readonly lines = this.#shared('lines')
  readonly gaps = this.#shared('gaps')
  readonly inbox = this.#shared('inbox')
  readonly markRead = this.#shared('markRead')
  readonly status = this.#shared('status')
  readonly transfers = this.#shared('transfers')
  readonly attachments = this.#shared('attachments')
  readonly blobAccess = this.#shared('blobAccess')
  readonly search = this.#shared('search')
  readonly block = this.#shared('block')
  readonly unblock = this.#shared('unblock')
  readonly blocked = this.#shared('blocked')
  readonly devices = this.#shared('devices')
  readonly revoke = this.#shared('revoke')
  readonly approveLink = this.#shared('approveLink')
  readonly fingerprints = this.#shared('fingerprints')
  readonly verify = this.#shared('verify')
  readonly unverified = this.#shared('unverified')
  readonly markUnread = this.#shared('markUnread')
  readonly typing = this.#shared('typing')
  readonly setLevel = this.#shared('setLevel')
  readonly settled = this.#shared('settled')
  readonly caughtUp = this.#shared('caughtUp')
  readonly position = this.#shared('position')
  readonly mark = this.#shared('mark')
  readonly setMark = this.#shared('setMark')
  readonly connection = this.#shared('connection')
  readonly group: ChatGroups = {
    create: (name, users, options) => this.#once('group.create', [name, users ?? []], options),
    add: (name, users, options) => this.#once('group.add', [name, users], options),
    remove: (name, users, options) => this.#once('group.remove', [name, users], options),
    leave: (name, options) => this.#once('group.leave', [name], options),
    role: (name, user, role, options) => this.#once('group.role', [name, user, role], options),
    rename: (name, newName, options) => this.#once('group.rename', [name, newName], options),
    topic: (name, topic, options) => this.#once('group.topic', [name, topic], options),
    compared: (name) => this.#ask('group.compared', [name]),
    info: (name) => this.#ask('group.info', [name]),
    list: () => this.#ask('group.list', []),
  }

  events(options: { after?: number; signal?: AbortSignal } = {}): AsyncIterable<ChatEvent> {
    const signal = options.signal ? AbortSignal.any([options.signal, this.#closing.signal]) : this.#closing.signal
    const from = options.after === undefined ? this.position() : Promise.resolve(options.after)
    from.catch(() => {}) // whoever iterates hears of it
    return this.#follow(from, signal)
  }

  async *#follow(from: Promise<number>, signal: AbortSignal): AsyncGenerator<ChatEvent, void, undefined> {
    let after = await from
    while (!signal.aborted) {
      const role = await this.#role.current()
      try {
        const stream =
          'owner' in role
            ? role.owner.chat.events({ after, signal })
            : ownerStream(role.client, { method: 'events', args: [{ after }] }, signal)
        for await (const event of stream) {
          after = event.position
          yield event
        }
        return
      } catch (error) {
        if (!(error instanceof OwnerGone) || signal.aborted) throw error
      }
    }
  }

  async *live({ signal: given, ...options }: LiveOptions = {}): AsyncGenerator<LiveEvent, void, undefined> {
    const signal = given ? AbortSignal.any([given, this.#closing.signal]) : this.#closing.signal
    while (!signal.aborted) {
      const role = await this.#role.current()
      try {
        if ('owner' in role) yield* role.owner.chat.live({ ...options, signal })
        else yield* ownerStream(role.client, { method: 'live', args: [options] }, signal)
        return
      } catch (error) {
        if (!(error instanceof OwnerGone) || signal.aborted) throw error
      }
    }
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return
    this.#closing.abort()
    this.#listeners.clear()
    await this.#role.close()
  }

  #shared<Method extends SharedMethod & keyof OwnerChat>(method: Method): OwnerChat[Method] {
    const call = (...args: unknown[]): Promise<unknown> => this.#call(method, () => args)
    return call as OwnerChat[Method] // the owner calls the method of this very name
  }

  #ask<Result>(method: SharedMethod, args: unknown[]): Promise<Result> {
    return this.#call(method, () => args) as Promise<Result> // what the owner's method of this name answers
  }

  /** A change that is repeated after a take-over goes under the same id, so that it happens once. */
  #once<Result>(method: SharedMethod, args: unknown[], options: GroupChangeOptions = {}): Promise<Result> {
    return this.#ask(method, [...args, { ...options, id: options.id ?? this.#options.makeId() }])
  }

  /** Repeated after a take-over it has the same id, and waits only for what is left of its time. */
  #wait(
    method: SharedMethod,
    first: string[],
    { signal, timeoutMs, ...options }: SendOptions | ReferenceOptions,
  ): Promise<unknown> {
    const id = options.id ?? this.#options.makeId()
    const deadline = performance.now() + (timeoutMs ?? DEFAULT_TIMEOUT_MS)
    // Files take their time, unless one is set: the owner knows whether they move.
    const isBounded = timeoutMs !== undefined || !('files' in options)
    const left = (): SendOptions => (isBounded ? { timeoutMs: Math.max(1, deadline - performance.now()) } : {})
    const args = (): unknown[] => [...first, { ...options, id, ...left() }]
    return this.#call(method, args, signal ? { signal } : {})
  }

  async #call(method: SharedMethod, args: () => unknown[], options: CallOptions = {}): Promise<unknown> {
    for (;;) {
      const role = await this.#role.current()
      try {
        if ('client' in role) return await role.client.call(method, args(), options)
        return await callByName(role.owner.chat, method, withSignal(args(), options.signal))
      } catch (error) {
        if (!(error instanceof OwnerGone)) throw error
        if (options.signal?.aborted)
          throw new ChatError('NET_CLOSED', { message: 'The wait was interrupted', cause: error })
      }
    }
  }

  #changed(): void {
    for (const listener of this.#listeners) listener()
  }
}

const withSignal = (args: unknown[], signal: AbortSignal | undefined): unknown[] => {
  if (!signal) return args
  return [...args.slice(0, -1), { ...(args.at(-1) as object), signal }] // options come last
}
