// What a person does with attachments: fetches what was shown to him, uploads what nobody will ever send, and writes down how many
// homes hold what he was told is safe.
import { Downloads } from '../../src/client/downloads.ts'
import type { LocalChat } from '../../src/client/local-chat.ts'
import { toHex } from '../../src/protocol/bytes.ts'
import { asChatError } from '../../src/protocol/errors.ts'
import { sha256 } from '../../src/protocol/signing.ts'
import { SimBlobTransfer } from './blob-transfer.ts'
import type { FetchedFile } from './checker.ts'
import type { SimCluster } from './cluster.ts'
import { hashOfFile } from './files.ts'
import type { Life } from './life.ts'
import { blobDurability } from './measures.ts'
import type { Session } from './person.ts'

/** The text of a message that takes a file along is the file's path. */
export const isFileText = (text: string): boolean => text.startsWith('/file ')
const never = new AbortController().signal

export class Attachments {
  readonly #proc: string
  readonly #cluster: SimCluster

  constructor(proc: string, cluster: SimCluster) {
    this.#proc = proc
    this.#cluster = cluster
  }

  /** Every upload that a gateway calls done is measured at that moment. */
  transfer(life: Life): SimBlobTransfer {
    const who = { client: this.#proc, life }
    return new SimBlobTransfer(this.#cluster.sockets, who, () => {
      const since = this.#cluster.scheduler.now
      return (blob) => this.#note(blob, 'uploaded', { since })
    })
  }

  /** All of the message; `right`, `wrong`, or the code of what stood in the way. */
  async fetch({ chat, life }: Session, { id, text }: { id: string; text: string }): Promise<FetchedFile> {
    const downloads = new Downloads({
      clock: life.clock,
      random: this.#cluster.random.fork(`download ${this.#proc} ${id}`),
      blobs: this.transfer(life),
      access: () => chat.blobAccess(),
      attachments: (of) => chat.attachments(of),
    })
    const [attachment] = await chat.attachments(id)
    const blob = attachment?.id ?? ''
    try {
      const parts: Uint8Array[] = []
      for await (const part of downloads.read(id, 0)) parts.push(part)
      return { id, blob, outcome: toHex(sha256(Buffer.concat(parts))) === hashOfFile(text) ? 'right' : 'wrong' }
    } catch (error) {
      return { id, blob, outcome: asChatError(error).code }
    }
  }

  /** Something was shown, so it can be had: unless nobody can be reached. */
  async look(session: Session, message: { id: string; text: string }): Promise<void> {
    const { outcome } = await this.fetch(session, message)
    this.#cluster.history.add({ op: 'download', type: 'ok', proc: this.#proc, id: message.id, outcome })
  }

  /** A message was acknowledged: enough homes have its blobs, and have promised to keep them. */
  async measure(chat: LocalChat, id: string): Promise<void> {
    const since = this.#cluster.sentAt(id)
    // Deleted before its author heard that it was stored: by another device of his.
    const said = this.#cluster.history.of('refer')
    if (said.some(({ what, user, from, id: of }) => what === 'delete' && user === from && of === id)) return
    for (const { id: blob } of await chat.attachments(id)) this.#note(blob, 'stored', { since, message: id })
  }

  async litter({ chat, life }: Session, seed: string): Promise<void> {
    const bytes = Buffer.from(seed)
    const id = toHex(sha256(bytes))
    const upload = { id, size: bytes.length, offset: 0, bytes: oneOf(bytes) }
    try {
      await this.transfer(life).put(await chat.blobAccess(), upload, never)
    } catch (error) {
      this.#cluster.defect(this.#proc, error)
    }
  }

  #note(blob: string, because: 'stored' | 'uploaded', about: { since: number; message?: string }): void {
    const { history } = this.#cluster
    const { found, needed } = blobDurability(this.#cluster, { blob, ...about })
    // A gateway that stood still with the answer in hand: in these runs what nobody refers to yet is thrown away after five seconds.
    const since = history.of('collect').filter((event) => event.blob === blob && event.t >= about.since)
    const collected = because === 'uploaded' ? new Set(since.map(({ proc }) => proc)).size : 0
    history.add({ op: 'blob', type: 'ok', proc: this.#proc, blob, because, found: found + collected, needed })
  }
}

async function* oneOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
