// A profile with a long history, made the way any is: a real node, people who send, and the client library that takes it all in.
// Everything lies in a temporary folder that is removed.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Chat, connect } from '../src/client/index.ts'
import type { ChatdTarget } from './chatd-target.ts'
import { pause } from './scenarios.ts'
import type { LoadSession } from './session.ts'
import { systems } from './systems.ts'

export const READER = 'reader'
export const FRIEND = 'frank'
/** The first one writes last, so that a client opens that conversation. */
export const WRITERS = ['bob', 'carol', 'dave', 'erin']
const TEXTS = [
  'ok',
  'That is what I thought too, see you there.',
  'x'.repeat(20),
  'a longer line that is broken '.repeat(6),
]
/** 1,500 a second of each writer. */
const BATCH = 15
const BATCH_MS = 10

export interface History {
  home: string
  /** A person with a client, who answers each message with its receipt. */
  friend: Chat
  /** The first writer's session: its messages go on from `sent`. */
  writer: LoadSession
  sent: number
  stop: () => Promise<void>
}

const textOf = (index: number): string => `message ${index} ${TEXTS[index % TEXTS.length] ?? ''}`

/** `count` messages, numbered from 1, below the rate that a device may keep up. */
const sendAll = (session: LoadSession, count: number): Promise<void> =>
  new Promise((resolve) => {
    let [stored, sent] = [0, 0]
    session.onStored = () => {
      if (++stored === count) resolve()
    }
    const timer = setInterval(() => {
      for (let i = 0; i < BATCH && sent < count; i++) session.send(session.prepare(READER, ++sent, textOf(sent)))
      if (sent === count) clearInterval(timer)
    }, BATCH_MS)
  })

/** By the real library into the profile on disk; read, as whoever has used it for long has read nearly all. */
const takeIn = async (home: string, gateway: string, count: number): Promise<void> => {
  const chat = await connect({ home, profile: READER, gateway })
  let arrived = 0
  for await (const event of chat.events({ after: 0 })) {
    if (event.type === 'message' && ++arrived === count) break
  }
  for (const name of WRITERS) await chat.markRead(name)
  await chat.settled({ timeoutMs: 60_000 })
  await chat.close()
}

const fill = async (target: ChatdTarget, each: number): Promise<LoadSession> => {
  const sessions = []
  for (const name of WRITERS) sessions.push(await target.login(name))
  const [writer, ...others] = sessions
  if (!writer) throw new Error('nobody writes')
  await Promise.all(sessions.map((session) => sendAll(session, each - (session === writer ? 1 : 0))))
  for (const other of others) other.close()
  writer.send(writer.prepare(READER, each, textOf(each)))
  await pause(500)
  return writer
}

export const makeHistory = async (messages: number): Promise<History> => {
  const system = systems.find(({ name }) => name === 'one process')
  if (!system) throw new Error('there is no such system')
  const { server, target } = await system.start()
  const home = mkdtempSync(join(tmpdir(), 'chatd-bench-tui-'))
  const chatd = target as ChatdTarget // this system's
  await (await connect({ home, profile: READER, gateway: server.url, register: READER })).close()
  const friend = await connect({ home, profile: FRIEND, gateway: server.url, register: FRIEND })
  await chatd.register(WRITERS)
  const sent = messages / WRITERS.length
  const taking = takeIn(home, server.url, messages)
  const writer = await fill(chatd, sent)
  await taking
  const stop = async (): Promise<void> => {
    writer.close()
    await friend.close()
    await server.stop()
    rmSync(home, { recursive: true, force: true })
  }
  return { home, friend, writer, sent, stop }
}
