// One upload to all homes of a blob: pieces go to each as they come, a few at once, and the body is read no faster than homes take them.
// A home that fails or is much slower than the others is left behind (it fetches the blob later), as long as W of each set go on.
import { mutant } from '../../platform/mutants.ts'
import type { Clock } from '../../platform/ports.ts'
import { withDeadline } from '../../platform/timing.ts'
import { asChatError, ChatError, hasCode } from '../../protocol/errors.ts'
import { limits } from '../../protocol/limits.ts'
import { type BlobState, mediaFinish, mediaWrite } from '../../protocol/rpc.ts'
import type { HomeCalls, HomePorts } from './home-calls.ts'
import { type Homes, mediaHomesOf } from './placement.ts'
import { isQuorum, tally } from './shard-tally.ts'

export interface UploadRequest {
  blob: string
  user: string
  size: number
  offset: number
  body: AsyncIterable<Uint8Array>
}
interface UploadParts extends UploadRequest {
  homes: Homes
  /** Those that can take bytes from `offset` on. */
  peers: string[]
}

/** Pieces on their way to one home: together a MiB, what a connection of 10 ms needs for 100 MB/s. */
const MAX_UNANSWERED = 2
/** How long the fast homes wait for a slow one. */
const PATIENCE_MS = 2_000
/** A piece takes no longer to come from the client: 4 KiB a second. */
const PIECE_MS = 120_000

interface Replica {
  peer: string
  unanswered: number
  error: ChatError | undefined
}

export class BlobUpload {
  readonly #ports: HomePorts
  readonly #calls: HomeCalls
  readonly #parts: UploadParts
  readonly #replicas: Replica[]
  /** Called when a piece was answered. */
  #onStep = (): void => {}

  constructor(ports: HomePorts, calls: HomeCalls, parts: UploadParts) {
    this.#ports = ports
    this.#calls = calls
    this.#parts = parts
    this.#replicas = parts.peers.map((peer) => ({ peer, unanswered: 0, error: undefined }))
  }

  /** Everything up to the end is written, not yet synced. Rejects with what the body throws, too. */
  async send(): Promise<void> {
    const { size, offset, body } = this.#parts
    let at = offset
    for await (const piece of piecesOf(body, this.#ports.clock)) {
      if (at + piece.length > size)
        throw new ChatError('BLOB_HASH', { message: 'There came more bytes than announced' })
      await this.#until((replica) => replica.unanswered < MAX_UNANSWERED)
      for (const replica of this.#live) void this.#write(replica, at, piece)
      at += piece.length
    }
    await this.#until((replica) => replica.unanswered === 0)
    if (at < size) throw new ChatError('BLOB_INCOMPLETE', { details: { offset: at } })
  }

  /** Whole on W homes of each set of the newest map. */
  async finish(): Promise<void> {
    const { blob, user, size } = this.#parts
    const homes = mediaHomesOf(this.#ports.view.current().map, blob)
    const live = new Set(this.#live.map(({ peer }) => peer))
    const isWhole = ({ whole }: BlobState): boolean => whole
    const isEnough = (sofar: Map<string, BlobState>): boolean =>
      mutant('blob-confirmed-by-one') ? [...sofar.values()].some(isWhole) : isQuorum(homes, sofar, isWhole)
    const { answers, failures } = await tally<BlobState>({
      homes: { ...homes, all: homes.all.filter((peer) => live.has(peer)) },
      ask: (peer) => this.#calls.ask(peer, mediaFinish, { blob, user, size }),
      isEnough: (sofar) => isEnough(sofar),
    })
    if (!isEnough(answers)) throw this.#why([...failures.values()])
  }

  get #live(): Replica[] {
    return this.#replicas.filter(({ error }) => error === undefined)
  }

  async #write(replica: Replica, offset: number, bytes: Uint8Array): Promise<void> {
    const { blob, user, size } = this.#parts
    replica.unanswered += 1
    try {
      await this.#calls.ask(replica.peer, mediaWrite, { blob, user, size, offset, bytes })
    } catch (error) {
      replica.error ??= asChatError(error)
    }
    replica.unanswered -= 1
    this.#onStep()
  }

  /** Resolves when it holds of all homes that go on; those that need much longer than the others are left behind. */
  async #until(holds: (replica: Replica) => boolean): Promise<void> {
    let isPatient = true
    const cancel = this.#ports.clock.after(PATIENCE_MS, () => {
      isPatient = false
      this.#onStep()
    })
    try {
      for (;;) {
        if (!this.#isQuorum(this.#live)) throw this.#why(this.#replicas.flatMap(({ error }) => error ?? []))
        const late = this.#live.filter((replica) => !holds(replica))
        if (late.length === 0) return
        if (!isPatient && this.#isQuorum(this.#live.filter(holds))) {
          for (const replica of late) replica.error = new ChatError('PEER_OVERLOADED')
        } else await new Promise<void>((resolve) => (this.#onStep = resolve))
      }
    } finally {
      cancel()
    }
  }

  #isQuorum(replicas: Replica[]): boolean {
    return isQuorum(this.#parts.homes, new Map(replicas.map((replica) => [replica.peer, replica])), () => true)
  }

  /** What is wrong with the blob says more than who cannot be reached. */
  #why(errors: ChatError[]): ChatError {
    const telling = errors.find((error) => hasCode(error, 'BLOB_HASH', 'BLOB_QUOTA'))
    const full = errors.find((error) => hasCode(error, 'BLOB_FULL'))
    return telling ?? full ?? new ChatError('QUORUM_UNAVAILABLE', { details: { homes: this.#parts.homes.all.length } })
  }
}

/**
 * The body in pieces of one size, whatever it came in; also what came before it broke off. NET_TIMEOUT when one takes too long. Whoever
 * stops early lets go of the body, so that the rest of it can be thrown away and the client hears why.
 */
async function* piecesOf(body: AsyncIterable<Uint8Array>, clock: Clock): AsyncGenerator<Uint8Array> {
  const chunks = body[Symbol.asyncIterator]()
  try {
    yield* joined(chunks, clock)
  } finally {
    void chunks.return?.(undefined).catch(() => {}) // not waited for: it may hang in the middle of a chunk
  }
}

async function* joined(chunks: AsyncIterator<Uint8Array>, clock: Clock): AsyncGenerator<Uint8Array> {
  let parts: Uint8Array[] = []
  let bytes = 0
  const take = (): Buffer => {
    const piece = Buffer.concat(parts, bytes)
    parts = []
    bytes = 0
    return piece
  }
  let deadline = clock.monotonic() + PIECE_MS
  for (;;) {
    const chunk = await withDeadline(clock, deadline - clock.monotonic(), chunks.next()).catch((error: unknown) => ({
      error,
    }))
    const isEnd = 'error' in chunk || chunk.done === true
    for (let rest = isEnd ? undefined : chunk.value; rest && rest.length > 0; ) {
      const part = rest.subarray(0, limits.maxBlobPieceBytes - bytes)
      rest = rest.subarray(part.length)
      parts.push(part)
      bytes += part.length
      if (bytes < limits.maxBlobPieceBytes) continue
      yield take()
      deadline = clock.monotonic() + PIECE_MS
    }
    if (!isEnd) continue
    if (bytes > 0) yield take()
    if ('error' in chunk) throw asChatError(chunk.error)
    return
  }
}
