// A map that forgets what was used least recently. Takes memory only for what it holds: a node makes a dozen of them, each for
// as many entries as the largest cluster could need, and most stay nearly empty.

export class LruMap<Key, Value extends object | string | number | boolean> {
  readonly #entries = new Map<Key, Value>()
  readonly #max: number

  constructor({ max }: { max: number }) {
    this.#max = max
  }

  get size(): number {
    return this.#entries.size
  }

  /** Counts as use. A Map keeps the order of insertion, so what is put in anew is the youngest. */
  get(key: Key): Value | undefined {
    const value = this.#entries.get(key)
    if (value === undefined) return undefined
    this.#entries.delete(key)
    this.#entries.set(key, value)
    return value
  }

  set(key: Key, value: Value): void {
    this.#entries.delete(key)
    this.#entries.set(key, value)
    if (this.#entries.size <= this.#max) return
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest)
      return
    }
  }

  delete(key: Key): void {
    this.#entries.delete(key)
  }
}
