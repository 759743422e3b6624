// What the client's core does with edits, deletions, reactions and its user's preferences, against a gateway by hand: every scenario
// of client-reference-scenarios.ts and client-preference-scenarios.ts.
import { suite } from 'uvu'
import { preferenceScenarios } from './client-preference-scenarios.ts'
import { referenceScenarios } from './client-reference-scenarios.ts'

const references = suite('client references')
for (const [name, run] of Object.entries(referenceScenarios)) references(name, run)
for (const [name, run] of Object.entries(preferenceScenarios)) references(name, run)
references.run()
