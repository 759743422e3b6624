// The proposer's side of a write-once register: gets a value decided, ours or the one somebody else began.
// Single-decree Paxos after Leslie Lamport, "Paxos Made Simple" (2001), section 2.2. Taken from it: the two phases, and the rule that a
// proposer takes the value of the highest ballot that its promisers have accepted. Ours: ballots begin with the epoch of the map (homes
// answer at their own only), in a joint epoch both phases need a majority of the old and of the new homes, and the second phase names
// its promisers with their feed ids, so that a home that forgot its promises counts for nothing. It keeps no state between proposals.
import { mutant } from '../../platform/mutants.ts'
import type { Clock, RandomSource } from '../../platform/ports.ts'
import { sleep } from '../../platform/timing.ts'
import { toHex } from '../../protocol/bytes.ts'
import { ChatError } from '../../protocol/errors.ts'
import type { Accepted, AcceptAnswer, Ballot, PrepareAnswer, Promiser } from '../../protocol/rpc.ts'
import { compareBallots } from './acceptor.ts'
import { type Electorate, isEnough, poll } from './electorate.ts'

export interface RegisterPorts {
  clock: Clock
  random: RandomSource
  /** Who decides on this register, by the newest map. */
  voters: (key: string) => Electorate
  isConnected: (peer: string) => boolean
  prepare: (peer: string, request: { epoch: number; key: string; ballot: Ballot }) => Promise<PrepareAnswer>
  accept: (peer: string, request: AcceptRequest) => Promise<AcceptAnswer>
}
interface AcceptRequest extends Accepted {
  epoch: number
  key: string
  quorum: Promiser[]
}

/** A change of a group is worth waiting for, but somebody waits. */
const PROPOSE_MS = 5_000
/** Proposers that meet draw lots for who tries again first; each failure doubles the pot. */
const BACKOFF_MS = 8
const LONGEST_BACKOFF_MS = 400
const NONCE_BYTES = 12

/** What the tries of one proposal have in common. */
interface Proposal {
  key: string
  value: Uint8Array
  round: number
  /** Some home may have accepted our own value. */
  isOut: boolean
}

export class Registers {
  readonly #ports: RegisterPorts

  constructor(ports: RegisterPorts) {
    this.#ports = ports
  }

  /** Resolves with what is decided. QUORUM_UNAVAILABLE: `value` never will be by this call; OUTCOME_UNKNOWN: it may. */
  async propose(key: string, value: Uint8Array): Promise<Uint8Array> {
    const { clock, random } = this.#ports
    const deadline = clock.monotonic() + PROPOSE_MS
    const proposal: Proposal = { key, value, round: 0, isOut: false }
    for (let tries = 0; ; tries++) {
      const decided = await this.#try(proposal)
      if (decided) return decided
      const backoffMs = Math.min(LONGEST_BACKOFF_MS, BACKOFF_MS * 2 ** tries) * (0.5 + random.float())
      if (clock.monotonic() + backoffMs > deadline) {
        throw new ChatError(proposal.isOut ? 'OUTCOME_UNKNOWN' : 'QUORUM_UNAVAILABLE')
      }
      await sleep(clock, backoffMs)
    }
  }

  /** One ballot through both phases. undefined: not this time. */
  async #try(proposal: Proposal): Promise<Uint8Array | undefined> {
    const voters = this.#ports.voters(proposal.key)
    if (!isEnough(voters, this.#ports.isConnected)) return undefined
    const ballot: Ballot = [voters.epoch, ++proposal.round, this.#nonce()]
    const promises = await this.#prepare(proposal, voters, ballot)
    if (!promises || 'decided' in promises) return promises?.decided
    const value = promises.value ?? proposal.value
    if (value === proposal.value) proposal.isOut = true
    return this.#accept(proposal, voters, { ballot, value, quorum: promises.quorum })
  }

  #nonce(): string {
    return mutant('ballot-used-twice') ? '' : toHex(this.#ports.random.bytes(NONCE_BYTES))
  }

  /** Phase 1: who promised, and the value that they bind us to. */
  async #prepare(
    proposal: Proposal,
    voters: Electorate,
    ballot: Ballot,
  ): Promise<{ decided: Uint8Array } | { quorum: Promiser[]; value: Uint8Array | undefined } | undefined> {
    const { key } = proposal
    if (mutant('skip-prepare')) return { quorum: voters.peers.map((peer) => [peer, '']), value: undefined }
    const { answers } = await poll(voters, {
      ask: (peer) => this.#ports.prepare(peer, { epoch: voters.epoch, key, ballot }),
      counts: ({ refused }) => refused === undefined,
      settles: ({ decided }) => decided !== undefined,
    })
    const quorum: Promiser[] = []
    let highest: Accepted | undefined
    for (const [peer, { decided, refused, accepted, feed }] of answers) {
      if (decided) return { decided }
      if (refused) proposal.round = Math.max(proposal.round, refused[1])
      else quorum.push([peer, feed])
      if (accepted && !(highest && compareBallots(accepted.ballot, highest.ballot) < 0)) highest = accepted
    }
    if (!isEnough(voters, (peer) => quorum.some(([promiser]) => promiser === peer))) return undefined
    return { quorum, value: mutant('accepted-value-ignored') ? undefined : highest?.value }
  }

  /** Phase 2, at those who promised. */
  async #accept(
    { key }: Proposal,
    voters: Electorate,
    { ballot, value, quorum }: Accepted & { quorum: Promiser[] },
  ): Promise<Uint8Array | undefined> {
    const { epoch } = voters
    const sent = mutant('skip-prepare') ? [] : quorum
    const promisers = { ...voters, peers: quorum.map(([peer]) => peer) }
    const isYes = (answer: AcceptAnswer): boolean => !answer.decided && !answer.refused && !answer.stale
    const { answers } = await poll(promisers, {
      ask: (peer) => this.#ports.accept(peer, { epoch, key, ballot, value, quorum: sent }),
      counts: isYes,
      settles: ({ decided }) => decided !== undefined,
    })
    for (const { decided } of answers.values()) if (decided) return decided
    const isAccepted = isEnough(voters, (peer) => {
      const answer = answers.get(peer)
      return answer !== undefined && isYes(answer)
    })
    return isAccepted ? value : undefined
  }
}
