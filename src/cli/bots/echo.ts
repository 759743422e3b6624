// A bot that says back what it is told: somebody to talk to in a cluster of one person, and an example of the client library.
// A process of its own, started by `npm start`; ends on SIGTERM, and with whoever started it.
import { parseArgs } from 'node:util'
import { connect } from '../../client/index.ts'

const STARTER_MS = 500

const { values } = parseArgs({
  options: {
    home: { type: 'string' },
    gateway: { type: 'string', default: 'ws://127.0.0.1:7400' },
    name: { type: 'string', default: 'echo' },
    greet: { type: 'string' },
    greeting: { type: 'string', default: 'Hello! I say back what you tell me.' },
  },
})

const stop = new AbortController()
process.once('SIGTERM', () => stop.abort())
process.once('SIGINT', () => stop.abort())
// An `npm start` that was killed ends nothing itself, and the next one starts a bot again: two of them answer twice.
const starter = process.ppid
setInterval(() => process.ppid !== starter && stop.abort(), STARTER_MS).unref()

const chat = await connect({
  profile: values.name,
  gateway: values.gateway,
  register: values.name,
  ...(values.home === undefined ? {} : { home: values.home }),
})
process.stdout.write(`${JSON.stringify({ event: 'ready', user: chat.user })}\n`)

/** Once, to somebody it never talked to. */
const greet = async (user: string): Promise<void> => {
  const known = await chat.history(user, { limit: 1 })
  if (known.length === 0) await chat.send(user, values.greeting, { wait: 'queued', signal: stop.signal })
}
if (values.greet) void greet(values.greet).catch(() => {})

for await (const event of chat.events({ signal: stop.signal })) {
  if (event.type !== 'message' || event.from === chat.user) continue
  await chat.markRead(event.conversation)
  // A message may be a file and nothing else; an empty one is not sent.
  if (event.text.trim() !== '') await chat.send(event.conversation, event.text, { wait: 'queued' })
}
await chat.close()
