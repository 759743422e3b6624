// Groups of the client's core against a gateway by hand: every scenario of client-group-scenarios.ts.
import { suite } from 'uvu'
import { groupScenarios } from './client-group-scenarios.ts'

const groups = suite('client groups')
for (const [name, run] of Object.entries(groupScenarios)) groups(name, run)
groups.run()
