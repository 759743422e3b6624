// The ids of messages that this profile was told are stored, one a line: what `chatd cluster check --ledger` holds a cluster to.
// Written after the gateway's answer and before whoever waits for it hears of it; only ever appended to.
import { openSync, writeSync } from 'node:fs'

export class Ledger {
  readonly #path: string
  #file: number | undefined

  /** Makes the file at once: a profile that sent nothing has an empty ledger. */
  constructor(path: string) {
    this.#path = path
    this.#write('')
  }

  add(id: string): void {
    this.#write(`${id}\n`)
  }

  /** A full disk costs the line and nothing else: the ledger proves, it does not deliver. */
  #write(text: string): void {
    try {
      this.#file ??= openSync(this.#path, 'a', 0o600)
      if (text !== '') writeSync(this.#file, text)
    } catch {
      this.#file = undefined
    }
  }
}
