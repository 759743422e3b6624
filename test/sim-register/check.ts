// What must hold in every run, judged by what processes were told and by what is on disks at the end.
import { versionRegister } from '../../src/node/replication/ledger-keys.ts'
import type { Entry, Told } from './history.ts'
import type { World } from './world.ts'

export interface Violation {
  rule: string
  message: string
}
type ToldEntry = Extract<Entry, { kind: 'told' }>
type Check = (run: Run) => Iterable<string>

interface Run {
  world: World
  entries: Entry[]
  told: ToldEntry[]
}
const of = <Op extends Told['op']>(told: ToldEntry[], op: Op): (ToldEntry & { told: Extract<Told, { op: Op }> })[] =>
  told.filter((entry): entry is ToldEntry & { told: Extract<Told, { op: Op }> } => entry.told.op === op)

/** One value for each register, whoever asks and whenever, and the same on every disk that says it is decided. */
const oneValue: Check = function* ({ world, told }) {
  const values = new Map<string, string>()
  for (const {
    told: { register, value },
    by,
  } of of(told, 'value')) {
    const known = values.get(register)
    if (known !== undefined && known !== value) yield `${register} is ${known}, but ${by} was told ${value}`
    values.set(register, value)
  }
  for (const [name, home] of world.homes) {
    for (const [register, value] of values) {
      const kept = home.ledger.registers.read(register)
      if (kept.isDecided && Buffer.from(kept.value ?? []).toString() !== value) {
        yield `${register} is ${value}, but ${name} holds ${Buffer.from(kept.value ?? []).toString()}`
      }
    }
  }
}

/** Nobody reads what nobody proposed. */
const proposedOnly: Check = function* ({ entries, told }) {
  const proposed = new Set(
    entries.flatMap((entry) =>
      entry.kind === 'begun' && entry.begun.op === 'propose' ? [`${entry.begun.register} ${entry.begun.value}`] : [],
    ),
  )
  for (const {
    told: { register, value },
  } of of(told, 'value')) {
    if (!proposed.has(`${register} ${value}`)) yield `nobody proposed ${value} for ${register}`
  }
}

/** Who asks after a value was told is told it too; who asks after a version was told is told of none below it. */
const linear: Check = function* ({ told }) {
  const values = of(told, 'value')
  for (const none of of(told, 'none')) {
    const before = values.find(({ time, told: value }) => time < none.since && value.register === none.told.register)
    if (before) yield `${none.told.register} had a value at ${before.time}, but ${none.by} was told of none`
  }
  const reached = [...of(told, 'newest'), ...of(told, 'reached')]
  for (const later of of(told, 'newest')) {
    const before = reached.find(
      (entry) =>
        entry.time < later.since && entry.told.group === later.told.group && entry.told.version > later.told.version,
    )
    if (before)
      yield `version ${before.told.version} was known at ${before.time}, but ${later.by} was told ${later.told.version}`
  }
}

/**
 * What was called taken reaches everybody at that version. Only when that has happened may it be called void: a home that has not heard
 * that it is done may find it on no list.
 */
const durable: Check = function* ({ world, told }) {
  const delivered = new Map<string, number>()
  for (const {
    time,
    told: { message, version },
  } of of(told, 'delivered')) {
    const id = `${message} ${version}`
    if (!delivered.has(id)) delivered.set(id, time)
  }
  const taken = new Set(of(told, 'taken').map(({ told: { message, version } }) => `${message} ${version}`))
  for (const {
    time,
    told: { message, version },
  } of of(told, 'void')) {
    const id = `${message} ${version}`
    if (taken.has(id) && time < (delivered.get(id) ?? Infinity))
      yield `${message} was taken at ${version} and called void`
  }
  if (!world.isHealed) return
  for (const id of taken) if (!delivered.has(id)) yield `${id} was taken and not delivered`
}

/**
 * A message belongs to one version. Only once it is done may a resend bring it to another, where too few homes remember it: members
 * who have it take no second copy.
 */
const oneVersion: Check = function* ({ told }) {
  const versions = new Map<string, number>()
  const done = new Set<string>()
  for (const { told: fact } of told) {
    if (fact.op === 'done') done.add(fact.message)
    if ((fact.op !== 'taken' && fact.op !== 'delivered') || done.has(fact.message)) continue
    const known = versions.get(fact.message)
    if (known !== undefined && known !== fact.version) {
      yield `${fact.message} was delivered at version ${known} and at ${fact.version}`
    }
    versions.set(fact.message, fact.version)
  }
}

/** What is first sent after a version was told to anybody is delivered at no version below. */
const sealed: Check = function* ({ entries, told }) {
  const firstSent = new Map<string, { time: number; group: string }>()
  for (const entry of entries) {
    if (entry.kind !== 'begun' || entry.begun.op !== 'send' || firstSent.has(entry.begun.message)) continue
    firstSent.set(entry.begun.message, { time: entry.time, group: entry.begun.group })
  }
  const newest = of(told, 'newest')
  for (const {
    told: { message, version },
  } of of(told, 'delivered')) {
    const sent = firstSent.get(message)
    const before = newest.find(
      (entry) => sent && entry.time < sent.time && entry.told.group === sent.group && entry.told.version > version,
    )
    if (before) {
      yield `${message} was first sent after version ${before.told.version} was known and delivered at ${version}`
    }
  }
}

/** Versions have no holes. */
const noHoles: Check = function* ({ told }) {
  const known = new Set(of(told, 'value').map(({ told: { register } }) => register))
  for (const {
    told: { group, version },
  } of of(told, 'newest')) {
    if (version > 1 && !known.has(versionRegister(group, version - 1))) {
      yield `version ${version} of ${group} was told, but never the one before`
    }
  }
}

const checks: Record<string, Check> = { oneValue, proposedOnly, linear, durable, oneVersion, sealed, noHoles }

export const findViolations = (world: World): Violation[] => {
  const { entries } = world.history
  const told = entries.filter((entry): entry is ToldEntry => entry.kind === 'told')
  return Object.entries(checks).flatMap(([rule, check]) =>
    [...new Set(check({ world, entries, told }))].map((message) => ({ rule, message })),
  )
}
