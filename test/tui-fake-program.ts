// The built terminal client on a fake Chat, as a program: tests run it in a pty. Words that are typed make things happen:
// `burst` = twenty messages of bob, `rate` = some each second (FAKE_RATE), `hostile` = one that attacks the terminal, `offline` = the connection goes, `throw`, `reject`, `break` = a crash.
import type * as main from '../src/tui/main.tsx'
import { fileLogger } from '../src/platform/file-logger.ts'
import { FakeChat } from './tui-fake-chat.ts'

const built = new URL('../dist/tui/main.js', import.meta.url).href
// The cast: the built file has the type of its source.
const { runTui } = (await import(built)) as typeof main

const HOSTILE = 'before\x1b[2J\x1b]0;owned\x07\x1b[?1049l\x9b31m\u202egpj\r\nafter 👨‍👩‍👧‍👦 end'
const chat = new FakeChat('alice')
chat.strangers.add('nobody')
for (let index = 1; index <= Number(process.env.FAKE_MESSAGES ?? 0); index++) chat.receive('bob', `message ${index}`)
if (process.env.FAKE_MESSAGES) await chat.markRead('bob')

const tricks: Record<string, () => void> = {
  rate: () => {
    let count = 0
    const everyMs = 1_000 / Number(process.env.FAKE_RATE ?? 50)
    setInterval(() => chat.receive('bob', `rate ${++count}`), everyMs)
  },
  burst: () => {
    for (let index = 1; index <= 20; index++) chat.receive('bob', `burst ${index}`)
  },
  hostile: () => chat.receive('bob', HOSTILE),
  offline: () => chat.connect({ state: 'waiting', retryInMs: 3_000, queued: 1, problem: 'no route' }),
  reject: () => void Promise.reject(new Error('a promise that nobody holds')),
  // The cast: what no part of the program believes, for a component that fails while it draws.
  break: () => chat.connect({ state: 'nonsense' as 'online' }),
  throw: () => {
    setImmediate(() => {
      throw new Error('a crash of the program')
    })
  },
}
const send = chat.send.bind(chat)
chat.send = async (to, text, options) => {
  const result = await send(to, text, options)
  tricks[text]?.()
  return result
}
if (process.env.FAKE_RATE) console.log('begins')
const { FAKE_NOTICE, FAKE_DIRECTORY } = process.env
const LOG = `${FAKE_DIRECTORY}/tui.log`
try {
  await runTui({
    chat,
    notices: FAKE_NOTICE ? [FAKE_NOTICE] : [],
    ...(FAKE_DIRECTORY ? { directory: FAKE_DIRECTORY, log: { path: LOG, logger: fileLogger(LOG) } } : {}),
  })
} catch (error) {
  console.error(String(error))
  process.exit(1)
}
console.log('the client has ended')
process.exit()
