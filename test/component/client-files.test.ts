// Attachments through the whole client.
import { suite } from 'uvu'
import { fileScenarios } from './client-file-scenarios.ts'

const files = suite('attachments of the client')
for (const [name, scenario] of Object.entries(fileScenarios)) files(name, scenario)
files.run()
