// Two honest people who go on talking while others misbehave: every message of theirs must be stored and arrive at once, and at
// the end a fresh device's feed must hold exactly what was acknowledged.
import * as assert from 'uvu/assert'
import { fromBase64, toBase64 } from '../../src/protocol/bytes.ts'
import { idFromBytes, splitKeys } from '../../src/protocol/records.ts'
import { openHeader } from '../../src/protocol/sealed.ts'
import { eventually } from '../eventually.ts'
import { headersAt, Person, type RawClient } from './raw-client.ts'

export class Witness {
  readonly #url: string
  readonly #alice: Person
  readonly #bob: Person
  readonly #atAlice: RawClient
  readonly #atBob: RawClient
  readonly #stored: string[] = []
  /** The longest that a message took from sending to arriving, in milliseconds. */
  slowestMs = 0

  private constructor(url: string, people: [Person, Person], sockets: [RawClient, RawClient]) {
    this.#url = url
    ;[this.#alice, this.#bob] = people
    ;[this.#atAlice, this.#atBob] = sockets
  }

  static async start(url: string, names: [string, string] = ['alice', 'bob']): Promise<Witness> {
    const alice = await Person.register(url, names[0])
    const bob = await Person.register(url, names[1])
    const atBob = await bob.login(url)
    assert.is((await atBob.request('feed.open', { cursors: {} })).complete, true)
    return new Witness(url, [alice, bob], [await alice.login(url), atBob])
  }

  /** One message, on the connections that were there from the start. */
  async round(what: string): Promise<void> {
    const started = performance.now()
    const record = this.#alice.message(this.#bob.user, what)
    const id = String(openHeader(record).id)
    const answer = await this.#atAlice.request('record.put', { record: toBase64(record) })
    assert.is(answer.t, 'record.stored', what)
    this.#stored.push(id)
    await eventually(() => headersAt(this.#atBob).some((header) => header.id === id), { what: `${what}: arrival` })
    this.slowestMs = Math.max(this.slowestMs, performance.now() - started)
  }

  /** Both mailboxes, read from the start on new connections: everything acknowledged, nothing twice. */
  async audit(): Promise<void> {
    for (const person of [this.#alice, this.#bob]) {
      const ids = await idsOf(this.#url, person)
      assert.equal([...ids].sort(), [...this.#stored].sort(), `the mailbox of ${person.user}`)
    }
  }

  end(): void {
    this.#atAlice.end()
    this.#atBob.end()
  }
}

/** The ids of the messages in a person's mailbox, as a new device of theirs reads them. */
export const idsOf = async (url: string, person: Person): Promise<string[]> => {
  const client = await person.login(url)
  const opened = await client.request('feed.open', { cursors: {} })
  const [home] = opened.homes as { head: number }[] // as frames.ts declares
  await eventually(() => client.frames.some(({ t, to }) => t === 'feed.page' && Number(to) >= (home?.head ?? 0)))
  client.end()
  const pages = client.frames.filter(({ t }) => t === 'feed.page')
  return pages.flatMap(({ keys }) => splitKeys(fromBase64(String(keys))).map((key) => idFromBytes(key.subarray(0, 16))))
}
