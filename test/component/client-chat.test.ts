// The client's core against a gateway by hand: every scenario of client-scenarios.ts.
import { suite } from 'uvu'
import { scenarios } from './client-scenarios.ts'

const chat = suite('client')
for (const [name, run] of Object.entries(scenarios)) chat(name, run)
chat.run()
