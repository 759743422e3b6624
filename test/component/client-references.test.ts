// Edits, deletions and reactions of the client's core against a gateway by hand: every scenario of client-reference-scenarios.ts.
import { suite } from 'uvu'
import { referenceScenarios } from './client-reference-scenarios.ts'

const references = suite('client references')
for (const [name, run] of Object.entries(referenceScenarios)) references(name, run)
references.run()
