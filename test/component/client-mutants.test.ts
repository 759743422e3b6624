// Each deliberate fault of the client fails a scenario that passes without it: the checks can fail.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { armMutant, clientMutantNames, type MutantName } from '../../src/platform/mutants.ts'
import { setPatience } from '../eventually.ts'
import { fileScenarios } from './client-file-scenarios.ts'
import { groupScenarios } from './client-group-scenarios.ts'
import { referenceScenarios } from './client-reference-scenarios.ts'
import { scenarios as chatScenarios } from './client-scenarios.ts'

const scenarios = { ...chatScenarios, ...referenceScenarios, ...groupScenarios, ...fileScenarios }

const killedBy: [MutantName, keyof typeof scenarios][] = [
  ['no-dedupe-in-client', 'nothing is shown twice, whichever ways it comes'],
  ['order-by-arrival-clock', 'everybody shows the same order, whatever came first'],
  ['cursor-moved-by-push', 'cursors move by pages only'],
  ['cursor-before-persist', 'a cursor never passes what is not on disk'],
  ['signature-unchecked', 'what does not verify is not shown and holds nothing up'],
  ['receipt-dropped', 'a receipt that overtakes its message counts, whatever else it claims'],
  ['read-without-received', 'a read receipt implies received'],
  ['edit-by-anyone', 'only the author’s edit counts, the newest by order, whatever came first'],
  ['body-beats-tombstone', 'a tombstone beats a body that comes later'],
  ['membership-unchecked', 'what does not follow from the group is not shown'],
  ['group-version-unchecked', 'what does not follow from the group is not shown'],
  ['absence-assumed', 'who joined misses what was sent since, and nothing that was taken while he was out'],
  ['fork-unseen', 'members who were shown different versions of a group hear of it from each other’s messages'],
  ['lost-race-taken-for-won', 'of two changes at once both happen, one after the other'],
  ['new-id-on-resend', 'a message of unknown outcome leaves again, the same bytes under the same id'],
  ['message-before-files', 'a file arrives with its message, which leaves after it'],
  ['changed-file-sent', 'a file that is removed or changed before it is sent is refused, and what follows is sent'],
  ['chunk-unverified', 'a damaged chunk is fetched again, and never shown when it stays so'],
  ['whole-unverified', 'a download that was interrupted goes on in the next process, and what is on disk is verified'],
]

const mutants = suite('client mutants')
mutants.before(() => setPatience(5_000))
mutants.after(() => setPatience())
mutants.after.each(() => armMutant(undefined))
for (const [name, scenario] of killedBy) {
  mutants(`${name} is seen`, async () => {
    armMutant(name)
    const failure = await scenarios[scenario]().then(
      () => undefined,
      (error: unknown) => error,
    )
    assert.ok(failure, `with ${name} the scenario still passes`)
  })
}
mutants('every fault that only clients can have has a scenario that sees it', () => {
  const seen = new Set(killedBy.map(([name]) => name))
  assert.equal(
    clientMutantNames.filter((name) => !seen.has(name)),
    [],
  )
})
mutants.run()
