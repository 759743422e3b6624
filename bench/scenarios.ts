// The measured loads, each bounded in count and time. Wall times are noisy; CPU seconds of the servers are what to compare.
import { cpuSeconds, residentBytes, type Server, sum } from './processes.ts'
import type { LoadSession, LoadTarget } from './session.ts'

const TEXT = 'x'.repeat(200)
const OUTSTANDING = 32

export interface Measured {
  server: Server
  target: LoadTarget
  /** Scales every count down for a quick look. */
  scale: number
}

export const percentile = (values: number[], share: number): number => {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}
export const cpuOf = (server: Server): number => sum(server.pids.map(cpuSeconds))
const memoryOf = (server: Server): number => sum(server.pids.map(residentBytes))
export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

export const deadline = async <T>(ms: number, what: string, work: Promise<T>): Promise<T> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took longer than ${ms} ms`)), ms)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}

export interface Saturation {
  messagesPerSecond: number
  cpuPer10k: number
  lost: number
}

/** 50 pairs, 200-byte texts, 32 outstanding each: a sender sends the next when one was delivered and stored. */
export const saturation = async ({ server, target, scale }: Measured, receipts: boolean): Promise<Saturation> => {
  const pairs = 50
  const each = Math.max(OUTSTANDING * 2, Math.round(600 * scale))
  // Until the hot paths of all processes are compiled.
  const warm = OUTSTANDING * 4
  const tag = receipts ? 'r' : 's'
  const names = Array.from({ length: pairs }, (_, i) => [`${tag}a${i}`, `${tag}b${i}`] as const)
  await target.register(names.flat())
  const runs = []
  for (const [a, b] of names) {
    const sender = await target.login(a)
    const receiver = await target.login(b, { receipts })
    const prepared = Array.from({ length: each + warm }, (_, index) => sender.prepare(b, index, TEXT))
    runs.push({ sender, receiver, prepared })
  }
  await deadline(60_000, 'the warm-up', Promise.all(runs.map((run) => pump(run, 0, warm))))
  const cpu = cpuOf(server)
  const started = performance.now()
  const delivered = await deadline(120_000, 'saturation', Promise.all(runs.map((run) => pump(run, warm, each + warm))))
  const seconds = (performance.now() - started) / 1000
  await pause(300) // what the servers still do for these messages belongs to them
  const cpuUsed = cpuOf(server) - cpu
  for (const { sender, receiver } of runs) {
    sender.close()
    receiver.close()
  }
  const count = pairs * each
  return { messagesPerSecond: count / seconds, cpuPer10k: (cpuUsed / count) * 10_000, lost: count - sum(delivered) }
}

interface Pair {
  sender: LoadSession
  receiver: LoadSession
  prepared: string[]
}
/** Sends prepared[from..to) with a bounded number outstanding; resolves with the number of distinct messages delivered. */
const pump = ({ sender, receiver, prepared }: Pair, from: number, to: number): Promise<number> =>
  new Promise((resolve) => {
    let next = from
    const open = new Map<number, number>()
    const delivered = new Set<number>()
    const step = (index: number): void => {
      const left = (open.get(index) ?? 0) - 1
      if (left > 0) return void open.set(index, left)
      open.delete(index)
      if (next < to) push()
      else if (open.size === 0) resolve(delivered.size)
    }
    const push = (): void => {
      const index = next++
      open.set(index, 2)
      sender.send(prepared[index] ?? '')
    }
    sender.onStored = (index) => {
      if (open.has(index)) step(index)
    }
    receiver.onDelivered = (index) => {
      if (!open.has(index) || delivered.has(index)) return
      delivered.add(index)
      step(index)
    }
    for (let i = 0; i < OUTSTANDING && next < to; i++) push()
  })

export interface Latency {
  p50Ms: number
  p99Ms: number
}
/** 200 messages a second, one after another, over 10 pairs: from send to the recipient's socket. */
export const latency = async ({ target, scale }: Measured): Promise<Latency> => {
  const pairs = 10
  const perSecond = 200
  const count = Math.round(2_000 * scale)
  const names = Array.from({ length: pairs }, (_, i) => [`la${i}`, `lb${i}`] as const)
  await target.register(names.flat())
  const sentAt = new Map<number, number>()
  const took: number[] = []
  let finish: () => void = () => {}
  const finished = new Promise<void>((resolve) => {
    finish = resolve
  })
  const sessions: { sender: LoadSession; receiver: LoadSession; to: string }[] = []
  for (const [a, b] of names) {
    const receiver = await target.login(b)
    receiver.onDelivered = (index) => {
      const at = sentAt.get(index)
      if (at === undefined) return
      sentAt.delete(index)
      took.push(performance.now() - at)
      if (took.length === count) finish()
    }
    sessions.push({ sender: await target.login(a), receiver, to: b })
  }
  const started = performance.now()
  for (let index = 0; index < count; index++) {
    const wait = started + (index * 1000) / perSecond - performance.now()
    if (wait > 0) await pause(wait)
    const session = sessions[index % pairs]
    if (!session) continue
    const prepared = session.sender.prepare(session.to, index, TEXT)
    sentAt.set(index, performance.now())
    session.sender.send(prepared)
  }
  await deadline(20_000, 'the last message of the latency run', finished)
  for (const { sender, receiver } of sessions) {
    sender.close()
    receiver.close()
  }
  return { p50Ms: percentile(took, 0.5), p99Ms: percentile(took, 0.99) }
}

export interface Logins {
  perSecond: number
}
/** Connect, handshake, open the feed; 16 at a time. */
export const logins = async ({ target, scale }: Measured): Promise<Logins> => {
  const users = 50
  const rounds = Math.max(1, Math.round(8 * scale))
  const names = Array.from({ length: users }, (_, i) => `login${i}`)
  await target.register(names)
  const queue = Array.from({ length: users * rounds }, (_, i) => names[i % users] ?? '')
  const total = queue.length
  const started = performance.now()
  const worker = async (): Promise<void> => {
    for (let user = queue.pop(); user !== undefined; user = queue.pop()) (await target.login(user)).close()
  }
  await deadline(60_000, 'the logins', Promise.all(Array.from({ length: 16 }, worker)))
  return { perSecond: (total / (performance.now() - started)) * 1000 }
}

export interface Idle {
  kibPerConnection: number
  connections: number
}
/** Memory of all server processes for each authenticated, silent connection. */
export const idleConnections = async ({ server, target, scale }: Measured): Promise<Idle> => {
  const connections = Math.round(2_000 * scale)
  const names = Array.from({ length: 100 }, (_, i) => `idle${i}`)
  await target.register(names)
  const warm = await Promise.all(names.map((name) => target.login(name)))
  await pause(2_000)
  const before = memoryOf(server)
  const sessions: LoadSession[] = []
  for (let i = 0; i < connections; i += 50) {
    sessions.push(...(await Promise.all(names.slice(0, 50).map((name) => target.login(name)))))
  }
  await pause(3_000)
  const used = memoryOf(server) - before
  for (const session of [...sessions, ...warm]) session.close()
  return { kibPerConnection: used / sessions.length / 1024, connections: sessions.length }
}
