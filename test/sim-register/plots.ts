// Stories that chance tells too rarely: each is one known way in which a careless ledger goes wrong, with its moments left to chance.
import type { SeededRandom } from '../sim/random.ts'
import { BEGIN_MS, type Cast, RUN_MS, type Step } from './scenario.ts'

type Plot = (cast: Cast, random: SeededRandom) => Iterable<Step>
const TIMES = 3

/** Three homes and two coordinators, in roles that are dealt anew each time. */
const deal = ({ homes, coordinators, groups }: Cast, random: SeededRandom) => {
  const [a = '', b = a, c = a] = random.shuffle(homes)
  const [first = '', second = first] = random.shuffle(coordinators)
  return { a, b, c, first, second, group: random.pick(groups) }
}
const change = (at: number, by: string, group: string): Step => ({
  at,
  by,
  do: 'change',
  group,
  value: `change at ${at}`,
})

/** A home accepts, loses its disk, and reads the others before they hear of what it accepted; then others decide without them. */
const lateAcceptance: Plot = function* (cast, random) {
  for (let i = 0; i < TIMES; i++) {
    const { a, b, c, first, second, group } = deal(cast, random)
    const at = BEGIN_MS + ((i + random.float() / 2) * RUN_MS) / TIMES
    const known = { by: 'world', isBothWays: true }
    yield { at, do: 'cut', from: first, to: b, ...known }
    yield change(at + 10, first, group)
    yield { at: at + 10 + random.float() * 25, by: 'world', do: 'slow', from: first, to: c, ms: 700 }
    yield { at: at + 25 + random.float() * 50, by: a, do: 'wipe' }
    yield { at: at + 60, do: 'cut', from: second, to: c, ...known }
    yield change(at + 100 + random.float() * 300, second, group)
    yield { at: at + 1_500, by: 'world', do: 'mend' }
    yield change(at + 1_700, first, group)
  }
}

/** Two of three homes decide; one loses its disk, the other is away, and the third, which was away, comes back. */
const forgottenVersion: Plot = function* (cast, random) {
  for (let i = 0; i < TIMES; i++) {
    const { a, b, c, first, second, group } = deal(cast, random)
    const at = BEGIN_MS + ((i + random.float() / 2) * RUN_MS) / TIMES
    yield { at, by: c, do: 'kill' }
    yield change(at + 10, first, group)
    yield { at: at + 300, by: a, do: 'wipe' }
    yield { at: at + 300 + random.float() * 5, by: b, do: 'kill' }
    yield { at: at + 310, by: c, do: 'start' }
    yield change(at + 400, second, group)
    yield { at: at + 1_500, by: b, do: 'start' }
    yield change(at + 1_700, first, group)
  }
}

/** The homes change, and the group does between their reading the old homes and leaving them; the new ones hear of that late. */
const changeInBetween: Plot = function* (cast, random) {
  const { homes, spares } = cast
  const sets = [[...spares, ...homes].slice(0, homes.length), homes]
  for (let i = 0; i < TIMES; i++) {
    const { first, second, group } = deal(cast, random)
    const at = BEGIN_MS + (i * RUN_MS) / TIMES
    const next = sets[i % 2] ?? homes
    const newcomers = next.filter((peer) => !sets[(i + 1) % 2]?.includes(peer))
    for (const to of newcomers) yield { at, by: 'world', do: 'slow', from: first, to, ms: 2_500 }
    yield { at, by: 'world', do: 'replace', homes: next }
    for (let n = 0; n < 5; n++) yield change(at + 100 + n * 100 + random.float() * 100, first, group)
    for (let n = 0; n < 4; n++) yield change(at + 500 + random.float() * 1_500, second, group)
    yield { at: at + 3_000, by: 'world', do: 'mend' }
  }
}

export const plots = {
  'late-acceptance': lateAcceptance,
  'forgotten-version': forgottenVersion,
  'change-in-between': changeInBetween,
} as const
