// 1,000 messages wait for a user who is away; then the user logs in. Once with a bare socket (the last frame), once with the real
// client library and its database on disk (all verified and kept). As of a system that runs: the first round is not counted.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ChatdTarget } from './chatd-target.ts'
import { type Measured, pause, percentile } from './scenarios.ts'

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
  await pause(500) // what the servers still do for the sending is not part of the reading
}

/** The socket sees the last frame. */
const lastFrame = async (chatd: ChatdTarget, round: number): Promise<number> => {
  const away = `offline-raw-${round}`
  await chatd.register([away])
  await sendAll(chatd, 'offline-sender', away)
  return chatd.readBacklog(away, COUNT)
}

/** The client of a device that was there before has everything. */
const onDisk = async (chatd: ChatdTarget, url: string, round: number): Promise<number> => {
  const home = mkdtempSync(join(tmpdir(), 'chatd-bench-client-'))
  const { connect } = await import('../src/client/index.ts')
  const away = `offline-client-${round}`
  const options = { home, profile: 'offline', gateway: url }
  const first = await connect({ ...options, register: away })
  await first.close()
  await sendAll(chatd, 'offline-sender', away)
  const started = performance.now()
  const chat = await connect(options)
  let arrived = 0
  for await (const event of chat.events({ after: 0 })) {
    if (event.type === 'message' && ++arrived === COUNT) break
  }
  const took = performance.now() - started
  await chat.close()
  rmSync(home, { recursive: true, force: true })
  return took
}

/** Medians of so many rounds, after one that compiles the hot paths of all processes. */
const ROUNDS = 5

export const offline = async ({ server, target }: Measured): Promise<Offline> => {
  const chatd = target as ChatdTarget // the ceiling keeps nothing for users who are away
  await chatd.register(['offline-sender'])
  const frames: number[] = []
  const disks: number[] = []
  for (let round = 0; round <= ROUNDS; round++) {
    const frame = await lastFrame(chatd, round)
    const disk = await onDisk(chatd, server.url, round)
    if (round === 0) continue
    frames.push(frame)
    disks.push(disk)
  }
  return { lastFrameMs: percentile(frames, 0.5), onDiskMs: percentile(disks, 0.5) }
}
