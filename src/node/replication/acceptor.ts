// The acceptor's side of a write-once register: what a home answers, and what it must have on disk before it does.
// Pure. Single-decree Paxos: Leslie Lamport, "Paxos Made Simple" (2001), section 2.2; P1a is the promise, P1 the rule for accepting.
import { mutant } from '../../platform/mutants.ts'
import type { Accepted, AcceptAnswer, Ballot, PrepareAnswer, Promiser } from '../../protocol/rpc.ts'

export interface RegisterState {
  promised?: Ballot
  accepted?: Accepted
  /** The accepted value is the register's for good. */
  isDecided: boolean
}
export const emptyRegister: RegisterState = { isDecided: false }

export const compareBallots = (a: Ballot, b: Ballot): number =>
  a[0] - b[0] || a[1] - b[1] || (a[2] < b[2] ? -1 : a[2] > b[2] ? 1 : 0)
const isBelow = (ballot: Ballot, other: Ballot | undefined): boolean =>
  other !== undefined && compareBallots(ballot, other) < 0
const higher = (a: Ballot | undefined, b: Ballot | undefined): Ballot | undefined =>
  a && !(b && isBelow(a, b)) ? a : b

/** `state` is the one given when nothing changed: then there is nothing to write. */
export interface Step<Answer> {
  state: RegisterState
  answer: Answer
}

/** The same request again gets the same promise: an answer may have been lost. */
export const prepare = (state: RegisterState, ballot: Ballot): Step<Omit<PrepareAnswer, 'feed'>> => {
  if (state.isDecided && state.accepted) return { state, answer: { decided: state.accepted.value } }
  if (state.promised && isBelow(ballot, state.promised)) return { state, answer: { refused: state.promised } }
  const answer = state.accepted ? { accepted: state.accepted } : {}
  return { state: { ...state, promised: ballot }, answer }
}

export const accept = (state: RegisterState, { ballot, value }: Accepted): Step<AcceptAnswer> => {
  if (state.isDecided && state.accepted) return { state, answer: { decided: state.accepted.value } }
  if (state.promised && isBelow(ballot, state.promised) && !mutant('lower-ballot-accepted')) {
    return { state, answer: { refused: state.promised } }
  }
  return { state: { promised: ballot, accepted: { ballot, value }, isDecided: false }, answer: {} }
}

export const learn = (state: RegisterState, value: Uint8Array): RegisterState =>
  state.isDecided
    ? state
    : { ...state, accepted: { ballot: state.accepted?.ballot ?? [0, 0, ''], value }, isDecided: true }

/**
 * What a home holds once it has read another's state: the higher promise, the value of the higher ballot. A value that was only read
 * counts for no majority (proposers count answers, never states); to be told of it can lead no proposer astray, for of all values
 * proposed at or above the ballot of a decided one there is only that one.
 */
export const merge = (own: RegisterState, other: RegisterState): RegisterState => {
  if (own.isDecided) return own
  const promised = higher(own.promised, other.promised)
  const accepted = takesOther(own, other) ? other.accepted : own.accepted
  return {
    ...(promised ? { promised } : {}),
    ...(accepted ? { accepted } : {}),
    isDecided: other.isDecided,
  }
}
const takesOther = (own: RegisterState, other: RegisterState): boolean => {
  if (!own.accepted || other.isDecided) return true
  return other.accepted !== undefined && isBelow(own.accepted.ballot, other.accepted.ballot)
}

/**
 * A home that lost its disk comes back under another feed id, and reads what it forgot from homes that first write that id down. From
 * then on they take no ballot that rests on a promise of its old life: so nothing it has forgotten can still become decided.
 */
export const isStale = (quorum: readonly Promiser[], knownFeeds: ReadonlyMap<string, string>): boolean =>
  quorum.some(([peer, feed]) => {
    const known = knownFeeds.get(peer)
    return known !== undefined && known !== feed && !mutant('old-life-counted')
  })
