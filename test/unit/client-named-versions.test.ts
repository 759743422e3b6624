// Runs of numbers that name one version, against a model: a version for each number.
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { addNamed, type NamedRun, namedFrom, namedUpTo } from '../../src/client/named-versions.ts'

const named = suite('named versions')
const HIGHEST = 60

/** What an honest device names: of each number, and from where on. */
const naming = (steps: number[]): { version: number; from: number }[] => {
  let [version, from] = [1, 1]
  return steps.map((step, i) => {
    if (step > 0) [version, from] = [version + step, i + 1]
    return { version, from }
  })
}

named('whatever comes in whichever order, what lies around a hole is told as it was named', () => {
  const steps = fc.array(fc.nat({ max: 2 }), { minLength: 1, maxLength: HIGHEST })
  const order = fc.array(fc.integer({ min: 1, max: HIGHEST }), { maxLength: HIGHEST })
  fc.assert(
    fc.property(steps, order, (stepsBetween, arrivals) => {
      const truth = naming(stepsBetween)
      const runs: NamedRun[] = []
      const here = new Set<number>()
      for (const seq of arrivals.filter((each) => each <= truth.length)) {
        const said = truth[seq - 1]
        if (!said) continue
        addNamed(runs, [said.from, seq, said.version])
        here.add(seq)
      }
      for (const [from, to, version] of runs) {
        for (let seq = from; seq <= to; seq++) assert.is(truth[seq - 1]?.version, version)
      }
      for (const seq of here) {
        assert.is(namedUpTo(runs, seq), truth[seq - 1]?.version)
        const run = namedFrom(runs, seq)
        assert.is(run?.[2], truth[seq - 1]?.version)
        assert.ok((run?.[0] ?? Infinity) <= seq)
      }
    }),
  )
})

named('where runs disagree the lower version stands', () => {
  const runs: NamedRun[] = []
  addNamed(runs, [2, 2, 5])
  addNamed(runs, [1, 3, 4])
  assert.equal(runs, [[1, 3, 4]])
  addNamed(runs, [3, 4, 6])
  assert.equal(runs, [[1, 4, 4]])
})

named('the oldest are forgotten', () => {
  const runs: NamedRun[] = []
  for (let seq = 1; seq <= 100; seq++) addNamed(runs, [seq, seq, seq])
  assert.is(runs.length, 64)
  assert.is(namedUpTo(runs, 36), undefined)
  assert.is(namedUpTo(runs, 37), 37)
})

named.run()
