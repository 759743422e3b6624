// Who must agree before something counts, and asking them all at once: every set of homes on its own, in a joint epoch both.
import { mutant } from '../../platform/mutants.ts'
import type { ClusterMap } from '../../protocol/cluster-map.ts'
import { asChatError, type ChatError } from '../../protocol/errors.ts'
import { homesOf, type ShardHomes } from './placement.ts'

export interface Electorate {
  epoch: number
  sets: { peers: string[]; needed: number }[]
  /** Of all sets, each once. */
  peers: string[]
}

/** More than half: two of these always meet, and one always meets W homes. */
export const majorityOf = (set: ShardHomes): number => Math.floor(set.n / 2) + 1
const byMajority = (set: ShardHomes): Electorate['sets'][number] => ({ peers: set.peers, needed: majorityOf(set) })

/** To decide: a majority of the homes, in a joint epoch of the old and of the new ones. */
export const votersOf = (map: ClusterMap, place: string): Electorate => {
  const { current, next, all } = homesOf(map, place)
  const sets = next && !mutant('joint-half-forgotten') ? [byMajority(current), byMajority(next)] : [byMajority(current)]
  return { epoch: map.epoch, sets, peers: all }
}
/** To read what was decided: a majority of the present homes, since nothing is decided without one. */
export const readersOf = (map: ClusterMap, place: string): Electorate => {
  const { current } = homesOf(map, place)
  return { epoch: map.epoch, sets: [byMajority(current)], peers: current.peers }
}
/** To keep: W homes of each set. */
export const keepersOf = (map: ClusterMap, place: string): Electorate => {
  const { current, next, all } = homesOf(map, place)
  const sets = (next ? [current, next] : [current]).map(({ peers, w }) => ({ peers, needed: w }))
  return { epoch: map.epoch, sets, peers: all }
}

/** Have these peers, together, a say in every set? */
export const isEnough = ({ sets }: Electorate, peers: (peer: string) => boolean): boolean =>
  sets.every((set) => set.peers.filter(peers).length >= set.needed)

export interface Poll<Answer> {
  answers: Map<string, Answer>
  errors: Map<string, ChatError>
}
export interface Question<Answer> {
  ask: (peer: string) => Promise<Answer>
  /** Does this answer count towards the quorum? */
  counts: (answer: Answer) => boolean
  /** Nobody else need be heard. */
  settles?: (answer: Answer) => boolean
  /** Hears everybody who answers at all before it gives up. */
  isPatient?: boolean
}

/** Asks all at once; resolves when enough answers count, or they cannot any more. Never rejects. */
export const poll = <Answer>(electorate: Electorate, question: Question<Answer>): Promise<Poll<Answer>> =>
  new Promise((resolve) => {
    const { ask, counts, settles, isPatient = false } = question
    const answers = new Map<string, Answer>()
    const errors = new Map<string, ChatError>()
    const isFor = (peer: string): boolean => {
      const answer = answers.get(peer)
      return answer !== undefined && counts(answer)
    }
    const mayBeFor = (peer: string): boolean => !errors.has(peer) && (!answers.has(peer) || isFor(peer))
    const check = (): void => {
      const isOver = answers.size + errors.size === electorate.peers.length
      const isHopeless = !isPatient && !isEnough(electorate, mayBeFor)
      if (isOver || isHopeless || isEnough(electorate, isFor)) resolve({ answers, errors })
    }
    for (const peer of electorate.peers) {
      ask(peer).then(
        (answer) => {
          answers.set(peer, answer)
          if (settles?.(answer)) resolve({ answers, errors })
          else check()
        },
        (error: unknown) => {
          errors.set(peer, asChatError(error))
          check()
        },
      )
    }
    if (electorate.peers.length === 0) resolve({ answers, errors })
  })
