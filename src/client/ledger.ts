// The ids of messages that this profile was told are stored, one a line: what `chatd cluster check --ledger` holds a cluster to.
// Written after the gateway's answer and before whoever waits for it hears of it; only ever appended to.
import { openSync, writeSync } from 'node:fs'

export class Ledger {
  readonly #path: string
  #file: number | undefined

  constructor(path: string) {
    this.#path = path
  }

  /** A full disk costs the line and nothing else: the ledger proves, it does not deliver. */
  add(id: string): void {
    try {
      this.#file ??= openSync(this.#path, 'a', 0o600)
      writeSync(this.#file, `${id}\n`)
    } catch {
      this.#file = undefined
    }
  }
}
