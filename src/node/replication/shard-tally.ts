// Asks all homes of a shard at once and counts what they say, by set: in a joint epoch both sets must come to their number.
import { asChatError, type ChatError } from '../../protocol/errors.ts'
import type { Homes, ShardHomes } from './placement.ts'

export interface Tally<Answer> {
  answers: Map<string, Answer>
  failures: Map<string, ChatError>
}
export interface TallyOptions<Answer> {
  homes: Homes
  ask: (peer: string) => Promise<Answer>
  /** Nothing more is waited for. */
  isEnough: (answers: Map<string, Answer>) => boolean
}

const setsOf = ({ current, next }: Homes): ShardHomes[] => (next ? [current, next] : [current])

/** In each set `holds` is true of the answers of W homes. */
export const isQuorum = <Answer>(
  homes: Homes,
  answers: Map<string, Answer>,
  holds: (answer: Answer) => boolean,
): boolean =>
  setsOf(homes).every((set) => {
    if (set.peers.length < set.w) return false
    const count = set.peers.filter((peer) => {
      const answer = answers.get(peer)
      return answer !== undefined && holds(answer)
    }).length
    return count >= set.w
  })

/** The least of the sets' W-th largest: what W homes of each set have at least. A home that did not answer has nothing. */
export const leastOf = <Answer>(
  homes: Homes,
  answers: Map<string, Answer>,
  amountOf: (answer: Answer) => number,
): number =>
  Math.min(
    ...setsOf(homes).map(({ peers, w }) => {
      const amounts = peers.map((peer) => {
        const answer = answers.get(peer)
        return answer === undefined ? 0 : amountOf(answer)
      })
      return amounts.sort((a, b) => b - a)[w - 1] ?? 0
    }),
  )

/** Resolves once it is enough, or everybody has answered or failed. Never rejects. */
export const tally = <Answer>({ homes, ask, isEnough }: TallyOptions<Answer>): Promise<Tally<Answer>> =>
  new Promise((resolve) => {
    const result: Tally<Answer> = { answers: new Map(), failures: new Map() }
    const look = (): void => {
      const isOver = result.answers.size + result.failures.size === homes.all.length
      if (isOver || isEnough(result.answers)) resolve(result)
    }
    look()
    for (const peer of homes.all) {
      ask(peer).then(
        (answer) => {
          result.answers.set(peer, answer)
          look()
        },
        (error: unknown) => {
          result.failures.set(peer, asChatError(error))
          look()
        },
      )
    }
  })
