// What the client's core does with edits, deletions, reactions, its user's preferences and what is of the moment, against a gateway by
// hand: every scenario of client-reference-scenarios.ts, client-preference-scenarios.ts and client-live-scenarios.ts.
import { suite } from 'uvu'
import { liveScenarios } from './client-live-scenarios.ts'
import { preferenceScenarios } from './client-preference-scenarios.ts'
import { referenceScenarios } from './client-reference-scenarios.ts'

const references = suite('client references')
for (const [name, run] of Object.entries(referenceScenarios)) references(name, run)
for (const [name, run] of Object.entries(preferenceScenarios)) references(name, run)
for (const [name, run] of Object.entries(liveScenarios)) references(name, run)
references.run()
