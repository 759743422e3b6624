// Groups: every member online at once, a few of them writing. What counts are deliveries: one message to one member's socket.
import { cpuOf, deadline, type Measured, pause } from './scenarios.ts'
import { sum } from './processes.ts'
import type { LoadSession } from './session.ts'

const TEXT = 'x'.repeat(200)
const SENDERS = 8
/** Messages of one sender that are not yet with every member. */
const OUTSTANDING = 4

export interface FanOut {
  deliveriesPerSecond: number
  cpuPer10k: number
  /** From a message's sending to its last member, with nothing else under way. */
  allReceivedMs: number
  lost: number
}

interface Group {
  id: string
  senders: LoadSession[]
  members: LoadSession[]
}

export const fanOut = async ({ server, target, scale }: Measured, size: number): Promise<FanOut> => {
  const names = Array.from({ length: size }, (_, i) => `g${size}-${i}`)
  await target.register(names)
  const members: LoadSession[] = []
  for (const name of names) members.push(await target.login(name))
  const id = await target.makeGroup(`#bench${size}`, names)
  const group: Group = { id, members, senders: members.slice(0, SENDERS) }
  await pause(1_000)
  await deadline(60_000, 'the warm-up', pump(group, 0, messagesFor(size, 0.3 * scale)))
  await pause(500)
  const count = messagesFor(size, scale)
  const cpu = cpuOf(server)
  const started = performance.now()
  const delivered = await deadline(120_000, 'the fan-out', pump(group, 100_000, count))
  const seconds = (performance.now() - started) / 1000
  await pause(500) // what the servers still do for these messages belongs to them
  const cpuUsed = cpuOf(server) - cpu
  const took: number[] = []
  for (let i = 0; i < 20; i++) {
    const at = performance.now()
    await deadline(10_000, 'one message to all', pump({ ...group, senders: members.slice(0, 1) }, 200_000 + i, 1))
    took.push(performance.now() - at)
    await pause(50)
  }
  for (const member of members) member.close()
  return {
    deliveriesPerSecond: delivered / seconds,
    cpuPer10k: (cpuUsed / delivered) * 10_000,
    allReceivedMs: sum(took) / took.length,
    lost: count * (size - 1) - delivered,
  }
}

/** 60,000 deliveries, whatever the size. */
const messagesFor = (size: number, scale: number): number =>
  Math.max(SENDERS, Math.round((60_000 * scale) / size / SENDERS) * SENDERS)

/** `count` messages by turns; each sender sends its next when one is stored and with every other member. Resolves with the deliveries. */
const pump = ({ id, members, senders }: Group, first: number, count: number): Promise<number> =>
  new Promise((resolve) => {
    let deliveries = 0
    let open = count
    const left = new Map<number, number>()
    const queues = senders.map((sender, s) =>
      Array.from({ length: count / senders.length }, (_, i) => {
        const index = first + i * senders.length + s
        return { index, prepared: sender.prepare(id, index, TEXT) }
      }),
    )
    const sendNext = (s: number): void => {
      const next = queues[s]?.shift()
      if (!next) return
      left.set(next.index, members.length)
      senders[s]?.send(next.prepared)
    }
    const step = (index: number): void => {
      const waiting = left.get(index)
      if (waiting === undefined) return
      left.set(index, waiting - 1)
      if (waiting > 1) return
      left.delete(index)
      if (--open === 0) resolve(deliveries)
      else sendNext((index - first) % senders.length)
    }
    for (const member of members) {
      member.onStored = step
      const seen = new Set<number>()
      member.onDelivered = (index) => {
        if (index < first || seen.has(index)) return
        seen.add(index)
        deliveries++
        step(index)
      }
    }
    for (let i = 0; i < OUTSTANDING; i++) for (const s of senders.keys()) sendNext(s)
  })
