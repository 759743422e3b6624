// What the group service needs of the homes of a group's shard: names and versions that are written once, and messages on their way
// to the members. Implemented by GroupLedger over the homes, and in memory by tests of the group service.

export interface Decided {
  version: number
  /** The sealed group record of that version. */
  sealed: Uint8Array
}

/** A message, or another record to all members of a group, that must reach every mailbox of version `version`. */
export interface FanOut {
  /** Group id. */
  group: string
  version: number
  sealed: Uint8Array
  acceptedAt: number
}

/** Every method rejects with QUORUM_UNAVAILABLE (refused) or OUTCOME_UNKNOWN when too few homes answer; all may be repeated. */
export interface GroupLedgerPort {
  /** Write-once: the id that the name belongs to, ours or another's. */
  claimName(name: string, group: string): Promise<string>
  /** Linearizable. undefined: nobody has claimed it. */
  lookUpName(name: string): Promise<string | undefined>
  /** Linearizable: the newest decided version; one under way is finished first. undefined: no such group. */
  newest(group: string): Promise<Decided | undefined>
  /** One version; undefined while it is not decided. */
  at(group: string, version: number): Promise<Uint8Array | undefined>
  /** Proposes `sealed` as `version`, the one before it being decided and the newest. Resolves with what was decided, ours or another's. */
  propose(group: string, version: number, sealed: Uint8Array): Promise<Uint8Array>
  /**
   * Resolves once W homes have it on disk under a version: the given one, or the one at which the same record was already taken.
   * GROUP_SEALED: a newer version is decided or under way; ask `newest` and try again there. Never says that it was not kept.
   */
  fanOut(item: FanOut): Promise<{ version: number }>
  /** Every mailbox of this version's members has these records (keys of 32 bytes): nobody need finish them. Best effort. */
  done(group: string, version: number, keys: Uint8Array[]): void
  /** What is not done and older than `olderThanMs`, of all groups, as far as homes that answer know. */
  unfinished(olderThanMs: number): Promise<FanOut[]>
  /** For one of `unfinished`: brings it to W homes, or says that it was not taken before its version ended and never will be. */
  settle(item: FanOut): Promise<'durable' | 'void'>
}
