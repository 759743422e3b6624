// The quorum client of attachments: what gateways use to write, pin and read them on their media homes.
// It owns no data; what counts as stored is what W homes of each set say under the newest map.
import { asChatError, ChatError, hasCode } from '../../protocol/errors.ts'
import { limits } from '../../protocol/limits.ts'
import type { Deletion } from '../../protocol/deletion.ts'
import { type BlobState, mediaPin, mediaRead, mediaStat, mediaUnpin } from '../../protocol/rpc.ts'
import { BlobUpload, type UploadRequest } from './blob-upload.ts'
import type { HomeCalls, HomePorts } from './home-calls.ts'
import { type Homes, mediaHomesOf, type ShardHomes } from './placement.ts'
import { isQuorum, leastOf, type Tally, tally } from './shard-tally.ts'

export interface PinRequest {
  blob: string
  size: number
  /** Key of the message's record. */
  message: Uint8Array
  /** See partiesOf: whose deletion ends it. */
  parties: Uint8Array
  /** The last hour since 1970 in which the message may still be there. */
  hour: number
}

/** The map changes seldom: more changes than this during one request are none. */
const MAX_TRIES = 5
/** Pieces of a download under way from the homes: so many are held for a client that reads slowly. */
const READ_AHEAD = 4
/** What a home says of a deletion that will not change by asking again. */
const UNWILLING = [
  'RPC_UNKNOWN',
  'RPC_INVALID',
  'MESSAGE_INVALID',
  'MESSAGE_TOO_LARGE',
  'AUTH_SIGNATURE',
  'AUTH_EXPIRED',
  'AUTH_REVOKED',
] as const

/** Whom one reader asks first: homes take turns, and one that failed this reader comes last. */
interface Preference {
  turn: number
  failed: Set<string>
}

export class Blobs {
  readonly #ports: HomePorts
  readonly #homes: HomeCalls
  #turns = 0

  constructor(ports: HomePorts, homes: HomeCalls) {
    this.#ports = ports
    this.#homes = homes
  }

  /** What W homes have on disk. undefined: nothing of it. QUORUM_UNAVAILABLE. */
  async stat(blob: string): Promise<BlobState | undefined> {
    const homes = this.#homesOf(blob)
    return confirmedState(homes, await this.#ask(blob, homes))
  }

  /**
   * Takes a blob from `offset` on, as its bytes come, to all homes at once; resolves when W of them hold it whole.
   * BLOB_INCOMPLETE with details.offset when `offset` is not where W homes are, or the bytes end too early; BLOB_HASH, BLOB_QUOTA,
   * BLOB_FULL, QUORUM_UNAVAILABLE.
   */
  async upload(request: UploadRequest): Promise<void> {
    const { blob, size, offset } = request
    const homes = this.#homesOf(blob)
    const found = await this.#ask(blob, homes)
    const state = confirmedState(homes, found)
    if (state && state.size !== size) throw new ChatError('BLOB_HASH', { message: 'The attachment has another size' })
    const confirmed = state?.offset ?? 0
    if (offset !== confirmed && !state?.whole)
      throw new ChatError('BLOB_INCOMPLETE', { details: { offset: confirmed } })
    // A home that has less could not take what comes; it gets the blob from another one later.
    const peers = homes.all.filter((peer) => hasUpTo(found, peer, state?.whole === true ? size : offset))
    const upload = new BlobUpload(this.#ports, this.#homes, { ...request, homes, peers })
    if (!state?.whole) await upload.send()
    await upload.finish()
  }

  /** Resolves when W homes keep it for the message. BLOB_UNKNOWN: too few have it. QUORUM_UNAVAILABLE. */
  async pin(request: PinRequest): Promise<void> {
    const { blob } = request
    const isPinned = ({ pinned }: { pinned: boolean }): boolean => pinned
    const said = await this.#askAtOneEpoch(blob, (peer) => this.#homes.ask(peer, mediaPin, { ...request }), isPinned)
    if (!said) throw tooFew(undefined)
    const { homes, answers, failures } = said
    if (isQuorum(homes, answers, isPinned)) return
    const lacks = (peer: string): boolean => answers.get(peer)?.pinned === false
    const isGone = ({ peers, w }: ShardHomes): boolean => peers.filter((peer) => !lacks(peer)).length < w
    if (isGone(homes.current) || (homes.next && isGone(homes.next))) {
      throw new ChatError('BLOB_UNKNOWN', { details: { blob } })
    }
    throw tooFew([...failures.values()].at(-1))
  }

  /**
   * Resolves when W homes know that the message it was kept for is deleted, or never kept it for that: among any W is one of those that
   * do. A home that will not end the pin, or cannot in its version, lets it end with its hour. QUORUM_UNAVAILABLE.
   */
  async unpin({ blob, ...deletion }: { blob: string } & Deletion): Promise<void> {
    const ask = async (peer: string): Promise<{ ended: boolean }> => {
      try {
        return await this.#homes.ask(peer, mediaUnpin, { blob, ...deletion })
      } catch (error) {
        if (!hasCode(error, ...UNWILLING)) throw error
        this.#ports.log.warn(
          { peer, blob, code: asChatError(error).code },
          'a media home keeps an attachment of a deleted message',
        )
        return { ended: false }
      }
    }
    const said = await this.#askAtOneEpoch(blob, ask, () => true)
    if (said && isQuorum(said.homes, said.answers, () => true)) return
    throw tooFew([...(said?.failures.values() ?? [])].at(-1))
  }

  /** Bytes of a whole one. BLOB_UNKNOWN: no home has it; QUORUM_UNAVAILABLE: none of those that can be reached. */
  async size(blob: string): Promise<number> {
    const preference = { turn: this.#turns, failed: new Set<string>() }
    return (await this.#piece(blob, { offset: 0, length: 0 }, preference)).size
  }

  /** The bytes from `start` up to `end`, in order, from whichever home has them: another one goes on where one fails. */
  async *read(blob: string, { start, end }: { start: number; end: number }): AsyncGenerator<Uint8Array> {
    this.#turns += 1
    const preference: Preference = { turn: this.#turns, failed: new Set() }
    const ahead: Promise<{ bytes: Uint8Array }>[] = []
    let next = start
    const ask = (): void => {
      // Up to a multiple of the piece, so that homes read and check nothing twice.
      const length = Math.min(end - next, limits.maxBlobPieceBytes - (next % limits.maxBlobPieceBytes))
      const piece = this.#piece(blob, { offset: next, length }, preference)
      piece.catch(() => {}) // who awaits it is told
      ahead.push(piece)
      next += length
    }
    while (next < end && ahead.length < READ_AHEAD) ask()
    for (let piece = ahead.shift(); piece; piece = ahead.shift()) {
      const { bytes } = await piece
      if (next < end) ask()
      yield bytes
    }
  }

  #homesOf(blob: string): Homes {
    return mediaHomesOf(this.#ports.view.current().map, blob)
  }

  /** Answers under different maps prove nothing together: the homes may have been moving in between. undefined: they do so again and again. */
  async #askAtOneEpoch<Answer>(
    blob: string,
    ask: (peer: string) => Promise<Answer>,
    holds: (answer: Answer) => boolean,
  ): Promise<(Tally<Answer> & { homes: Homes }) | undefined> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const { map } = this.#ports.view.current()
      const homes = mediaHomesOf(map, blob)
      const said = await tally({ homes, ask, isEnough: (sofar) => isQuorum(homes, sofar, holds) })
      if (this.#ports.view.current().map.epoch === map.epoch) return { homes, ...said }
    }
    return undefined
  }

  #ask(blob: string, homes: Homes): Promise<Found> {
    return tally({
      homes,
      ask: (peer) => this.#homes.ask(peer, mediaStat, { blob }),
      isEnough: (answers) => isQuorum(homes, answers, ({ state }) => state?.whole === true),
    })
  }

  async #piece(
    blob: string,
    { offset, length }: { offset: number; length: number },
    preference: Preference,
  ): Promise<{ size: number; bytes: Uint8Array }> {
    const { transport } = this.#ports
    const { all } = this.#homesOf(blob)
    let isUnreachable = all.length === 0
    for (const peer of inOrder(all, transport.self, preference)) {
      try {
        const answer = await transport.call(peer, mediaRead, { blob, offset, length })
        if (answer.bytes.length === length) return answer
      } catch (error) {
        if (!hasCode(error, 'BLOB_UNKNOWN')) isUnreachable = true
        preference.failed.add(peer)
      }
    }
    if (!isUnreachable) throw new ChatError('BLOB_UNKNOWN')
    throw new ChatError('QUORUM_UNAVAILABLE', { message: 'No store that has the attachment can be reached; try again' })
  }
}

/** Its own disk first: no way is shorter. */
const inOrder = (homes: string[], self: string, { turn, failed }: Preference): string[] => {
  const start = turn % Math.max(1, homes.length)
  const rank = (peer: string): number => (failed.has(peer) ? 2 : peer === self ? 0 : 1)
  return [...homes.slice(start), ...homes.slice(0, start)].toSorted((a, b) => rank(a) - rank(b))
}

/** A disk that is full is what its operator has to hear of. */
const tooFew = (cause: ChatError | undefined): ChatError => {
  if (hasCode(cause, 'BLOB_FULL')) return new ChatError('BLOB_FULL', { cause })
  return new ChatError('QUORUM_UNAVAILABLE', {
    message: 'Too few stores of the attachment can be reached; try again',
    ...(cause ? { cause } : {}),
  })
}

type Found = Tally<{ state?: BlobState }>

const hasUpTo = ({ answers, failures }: Found, peer: string, offset: number): boolean =>
  offset === 0 ? !failures.has(peer) : (answers.get(peer)?.state?.offset ?? 0) >= offset

/** QUORUM_UNAVAILABLE when too few homes answered. */
const confirmedState = (homes: Homes, { answers, failures }: Found): BlobState | undefined => {
  if (!isQuorum(homes, answers, () => true)) throw tooFew([...failures.values()].at(-1))
  const known = [...answers.values()].find(({ state }) => state)?.state
  if (!known) return undefined
  const whole = isQuorum(homes, answers, ({ state }) => state?.whole === true)
  const offset = leastOf(homes, answers, ({ state }) => state?.offset ?? 0)
  // All there and not finished: the last byte is sent again, and with it the blob is.
  return { size: known.size, offset: whole ? known.size : Math.min(offset, known.size - 1), whole }
}
