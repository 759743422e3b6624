// Deliberate faults in the shipped services, one switch each, that prove the checker of the simulator can fail.
// They can be armed only while running from sources (tests); in the built program `mutant()` is always false.

export const mutantNames = [
  'write-quorum-one',
  'ack-before-fsync',
  'no-dedupe-on-home',
  'no-dedupe-in-client',
  'order-by-arrival-clock',
  'hold-skipped',
  'gap-untold',
  'lease-is-truth',
  'cursor-moved-by-push',
  'feed-number-reused',
  'syncing-home-counted',
  'old-epoch-accepted',
  'refused-after-partial-write',
  'receipt-dropped',
  'read-without-received',
  'signature-unchecked',
  'unconfirmed-delivered',
  'no-repair',
  'final-before-reconciled',
  'own-copy-skipped',
  'cursor-before-persist',
  'new-id-on-resend',
  'edit-by-anyone',
  'body-beats-tombstone',
  'tombstone-forgotten',
  'own-copy-not-awaited',
  'fan-out-unfinished',
  'sealed-taken-for-stored',
  'author-unchecked',
  'change-unchecked',
  'membership-unchecked',
  'group-version-unchecked',
  'invitation-believed',
  'decided-not-compared',
  'blob-confirmed-by-one',
  'pin-skipped',
  'pins-ignored',
  'collected-while-moving',
  'pins-before-blob',
  'unpin-unchecked',
  'ended-pin-revived',
] as const
/** Of the write-once registers and what stands on them: caught by a simulation of their own (test/sim-register). */
export const registerMutantNames = [
  'skip-prepare',
  'promise-forgotten',
  'lower-ballot-accepted',
  'accepted-value-ignored',
  'ballot-used-twice',
  'joint-half-forgotten',
  'empty-disk-rejoins',
  'old-life-counted',
  'fan-out-after-seal',
  'open-ones-not-written-down',
  'undecided-shown',
] as const
export type RegisterMutantName = (typeof registerMutantNames)[number]
/** Of clients in groups, and of those that send and fetch files: caught by the scenarios of test/component/client-*-scenarios.ts only. */
export const clientMutantNames = [
  'lost-race-taken-for-won',
  'absence-assumed',
  'fork-unseen',
  'message-before-files',
  'changed-file-sent',
  'chunk-unverified',
  'whole-unverified',
] as const
/** Of group nodes that hear a home that lies: caught by the runs that have one (test/sim-lying.test.ts). */
export const lyingMutantNames = ['unsound-believed'] as const
export type MutantName =
  | (typeof mutantNames)[number]
  | RegisterMutantName
  | (typeof clientMutantNames)[number]
  | (typeof lyingMutantNames)[number]

const fromSources = import.meta.url.endsWith('.ts')
let armed: MutantName | undefined

export const mutant = (name: MutantName): boolean => armed === name

/** Arms one mutant, or none. Throws in the built program. */
export const armMutant = (name: MutantName | undefined): void => {
  if (!fromSources) throw new Error('mutants exist only when running from sources')
  armed = name
}
