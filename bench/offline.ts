// 1,000 messages wait for a user who is away; then the user logs in. Once with a bare socket (the last frame), once with the real
// client library and its database on disk (all verified and kept).
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ChatdTarget } from './chatd-target.ts'
import type { Measured } from './scenarios.ts'

const COUNT = 1_000

export interface Offline {
  lastFrameMs: number
  onDiskMs: number
}

const sendAll = async (target: ChatdTarget, from: string, to: string): Promise<void> => {
  const sender = await target.login(from)
  await new Promise<void>((resolve) => {
    let stored = 0
    sender.onStored = () => {
      if (++stored === COUNT) resolve()
    }
    for (let i = 0; i < COUNT; i++) sender.send(sender.prepare(to, i, 'an offline message '.repeat(10)))
  })
  sender.close()
}

export const offline = async ({ server, target }: Measured): Promise<Offline> => {
  const chatd = target as ChatdTarget // the ceiling keeps nothing for users who are away
  await chatd.register(['offline-sender', 'offline-raw'])
  await sendAll(chatd, 'offline-sender', 'offline-raw')
  const lastFrameMs = await chatd.readBacklog('offline-raw', COUNT)
  const home = mkdtempSync(join(tmpdir(), 'chatd-bench-client-'))
  const { connect } = await import('../src/client/index.ts')
  const options = { home, profile: 'offline', gateway: server.url }
  const first = await connect({ ...options, register: 'offline-client' })
  await first.close()
  await sendAll(chatd, 'offline-sender', 'offline-client')
  const started = performance.now()
  const chat = await connect(options)
  let arrived = 0
  for await (const event of chat.events({ after: 0 })) {
    if (event.type === 'message' && ++arrived === COUNT) break
  }
  const onDiskMs = performance.now() - started
  await chat.close()
  rmSync(home, { recursive: true, force: true })
  return { lastFrameMs, onDiskMs }
}
