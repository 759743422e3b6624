// What is newest in each conversation, a message and a change of the group, found once and kept until something there comes, goes or
// waits no more: a list of a thousand conversations must not read the database a thousand times for each change. Owns the finding only;
// whoever changes the order says so.
import type { Groups } from './groups.ts'
import type { HeldMessage, HeldRecords } from './held-records.ts'
import type { Pages } from './pages.ts'

interface Found {
  /** Of the conversation, when it was looked for. */
  version: number
  key: Uint8Array | undefined
  changedAt: number
}
export interface NewestLines {
  message: HeldMessage | undefined
  /** When the group was changed, when nothing was said since; milliseconds since 1970, else 0. */
  changedAt: number
}

export class Newest {
  readonly #pages: Pages
  readonly #records: HeldRecords
  readonly #groups: Groups
  readonly #versions = new Map<string, number>()
  readonly #found = new Map<string, Found>()

  constructor(options: { pages: Pages; records: HeldRecords; groups: Groups }) {
    this.#pages = options.pages
    this.#records = options.records
    this.#groups = options.groups
  }

  /** A message has its place there, or has none any more, or is shown. */
  changed(conversation: string): void {
    this.#versions.set(conversation, this.#versionOf(conversation) + 1)
  }

  /** Who is blocked has changed. */
  clear(): void {
    for (const conversation of this.#found.keys()) this.changed(conversation)
  }

  async of(conversation: string): Promise<NewestLines> {
    const version = this.#versionOf(conversation)
    const known = this.#found.get(conversation)
    if (known?.version === version) {
      return { message: known.key && this.#records.message(known.key), changedAt: known.changedAt }
    }
    const [line] = await this.#pages.lines(conversation, 1)
    const isChange = line !== undefined && 'version' in line
    const changedAt = isChange ? (this.#groups.changeAt(conversation, line.version)?.header.at ?? 0) : 0
    const [message] = isChange ? await this.#pages.messages(conversation, 1) : [line]
    this.#found.set(conversation, { version, key: message?.key, changedAt })
    return { message, changedAt }
  }

  #versionOf(conversation: string): number {
    return this.#versions.get(conversation) ?? 0
  }
}
