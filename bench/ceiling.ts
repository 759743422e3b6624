// The ceiling: a bare ws relay that keeps each message in LevelDB with grouped fsync, answers, and passes it on (to a group: to each
// member, kept once). Nothing else:
// no identities, no replication, no receipts. What chatd costs above it is the price of its promises.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Level } from 'level'
import { type WebSocket, WebSocketServer } from 'ws'
import { textOf } from './session.ts'

const dir = mkdtempSync(join(tmpdir(), 'chatd-ceiling-'))
const db = new Level<string, string>(dir)
await db.open()
const users = new Map<string, WebSocket>()
const groups = new Map<string, string[]>()
let waiting: { key: string; value: string; done: () => void }[] = []
let writing = false

const flush = async (): Promise<void> => {
  writing = true
  while (waiting.length > 0) {
    const batch = waiting
    waiting = []
    await db.batch(
      batch.map(({ key, value }) => ({ type: 'put', key, value })),
      { sync: true },
    )
    for (const { done } of batch) done()
  }
  writing = false
}

interface Frame {
  t: string
  id?: number
  user?: string
  from?: string
  to?: string
  /** Of a group. */
  name?: string
  users?: string[]
}

const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false })
let next = 0
server.on('connection', (socket) => {
  socket.on('message', (data) => {
    const text = textOf(data)
    const frame = JSON.parse(text) as Frame
    if (frame.t === 'login') {
      users.set(frame.user ?? '', socket)
      socket.send('{"t":"ok"}')
      return
    }
    if (frame.t === 'group') {
      groups.set(frame.name ?? '', frame.users ?? [])
      socket.send('{"t":"ok"}')
      return
    }
    waiting.push({
      key: `${frame.to}/${String(next++).padStart(12, '0')}`,
      value: text,
      done: () => {
        socket.send(`{"t":"stored","id":${frame.id}}`)
        for (const user of groups.get(frame.to ?? '') ?? [frame.to ?? '']) {
          if (user !== frame.from) users.get(user)?.send(text)
        }
      },
    })
    if (!writing) void flush()
  })
})
server.on('listening', () => {
  const address = server.address()
  if (typeof address === 'object' && address) console.log(JSON.stringify({ url: `ws://127.0.0.1:${address.port}` }))
})
process.on('SIGTERM', () => {
  rmSync(dir, { recursive: true, force: true })
  process.exit(0)
})
