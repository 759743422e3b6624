// Other addresses at which this node is to dial its peers than those of the map, from a file that may change at any time:
// a local cluster leads every link through a proxy that can cut it. A peer that is not in the file is not dialed at all,
// and no other address is: not one that libp2p learned elsewhere.
import { readFileSync } from 'node:fs'

export class DialVia {
  readonly #path: string

  /** The file is a JSON object: name of a node -> multiaddress without /p2p. */
  constructor(path: string) {
    this.#path = path
  }

  addressesOf(name: string): string[] {
    const address = this.#read()[name]
    return address === undefined ? [] : [address]
  }

  /** `address` as libp2p dials it, with /p2p at the end. */
  allows(address: string): boolean {
    return Object.values(this.#read()).includes(address.replace(/\/p2p\/[^/]+$/, ''))
  }

  #read(): Record<string, string> {
    try {
      return JSON.parse(readFileSync(this.#path, 'utf8')) as Record<string, string> // written whole by chatd cluster
    } catch {
      return {}
    }
  }
}
