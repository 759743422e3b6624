// Ledgers: files with the ids that clients were told are stored, one a line. Each of them must be on all homes of every mailbox it is for.
import { ChatError } from '../../protocol/errors.ts'
import { isRecordId } from '../../protocol/records.ts'
import { readTextFile } from '../text-file.ts'

export const readLedgers = (paths: string[]): Set<string> => new Set(paths.flatMap(readLedger))

/** A last line without its end was being written when its process died: nobody was told that id. */
const readLedger = (path: string): string[] => {
  const lines = readTextFile(path)
    .split('\n')
    .map((line) => line.trim())
  if (!isRecordId(lines.at(-1))) lines.pop()
  const bad = lines.findIndex((line) => line !== '' && !isRecordId(line))
  if (bad < 0) return lines.filter((line) => line !== '')
  throw new ChatError('USAGE', { message: `Line ${bad + 1} of the ledger ${path} is no message id` })
}

interface Sighting {
  wanted: string[]
  /** Mailboxes in which all homes have it. */
  whole: Set<string>
}

export class LedgerCheck {
  readonly #ids: Set<string>
  readonly #seen = new Map<string, Sighting>()

  constructor(ids: Set<string>) {
    this.#ids = ids
  }

  /** All homes of `mailbox` have the record `id`, which belongs in `wanted`. */
  sawWhole(id: string, mailbox: string, wanted: string[]): void {
    if (!this.#ids.has(id)) return
    const known = this.#seen.get(id) ?? { wanted, whole: new Set<string>() }
    known.whole.add(mailbox)
    this.#seen.set(id, known)
  }

  /** For each id that is not where it must be, why. */
  missing(): { id: string; reason: string }[] {
    return [...this.#ids].flatMap((id) => {
      const seen = this.#seen.get(id)
      if (!seen) return [{ id, reason: 'is on no home, or not on all of them' }]
      const lacking = seen.wanted.filter((mailbox) => !seen.whole.has(mailbox))
      return lacking.length === 0 ? [] : [{ id, reason: `is not on all homes of ${lacking.join(' and ')}` }]
    })
  }

  get size(): number {
    return this.#ids.size
  }
}
