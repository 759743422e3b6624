// What a client must do, each as a scenario in a world of its own. Run as tests, and run again with a fault armed, where the
// scenario has to fail: client-mutants.test.ts.
import * as assert from 'uvu/assert'
import type { ChatEvent } from '../../src/client/api.ts'
import type { LocalChat } from '../../src/client/local-chat.ts'
import { idMaker } from '../../src/client/ids.ts'
import { keys } from '../../src/client/keys.ts'
import { systemClock, systemRandom } from '../../src/platform/system.ts'
import { CONTENT_TYPE, encodeContent } from '../../src/protocol/content.ts'
import { ChatError } from '../../src/protocol/errors.ts'
import { limits } from '../../src/protocol/limits.ts'
import { conversationOf } from '../../src/protocol/names.ts'
import type { MessageHeader, ReceiptHeader } from '../../src/protocol/records.ts'
import { eventually, patienceMs } from '../eventually.ts'
import { FEED, HOMES } from './client-gateway.ts'
import { ManualClock, turns } from './gateway-clock.ts'
import { ClientWorld, fastClock, KeptDatabase, type Person, PowerCutDatabase } from './client-world.ts'

export const makeId = idMaker(systemClock, systemRandom)

export interface MessageOptions {
  seq: number
  text?: string
  at?: number
  id?: string
}
/** A message as `from`'s device would sign it. */
export const messageOf = (
  from: Person,
  to: string,
  { seq, text = `text ${seq}`, at = Date.now(), id = makeId() }: MessageOptions,
): Buffer => {
  const author = { id, from: from.user, dev: from.device, to, at }
  const header: MessageHeader = { k: 'msg', ...author, conv: conversationOf(from.user, to), seq, ct: CONTENT_TYPE }
  return from.identity.seal(header, encodeContent({ text }))
}
const receiptOf = (from: Person, to: string, st: 'received' | 'read', r: ReceiptHeader['r']): Buffer => {
  const author = { id: makeId(), from: from.user, dev: from.device, to, at: Date.now() }
  const header: ReceiptHeader = { k: 'rcpt', ...author, conv: conversationOf(from.user, to), st, r }
  return from.identity.seal(header)
}

/** Everything in the log so far. */
export const eventsOf = async (chat: LocalChat): Promise<ChatEvent[]> => {
  const stop = new AbortController()
  const found: ChatEvent[] = []
  const last = await chat.position()
  if (last === 0) return found
  for await (const event of chat.events({ after: 0, signal: stop.signal })) {
    found.push(event)
    if (event.position >= last) break
  }
  return found
}
export const textsOf = async (chat: LocalChat, conversation: string): Promise<string[]> =>
  (await chat.history(conversation, { limit: 1_000 })).map(({ text }) => text)
const shownTexts = async (chat: LocalChat): Promise<string[]> =>
  (await eventsOf(chat)).flatMap((event) => (event.type === 'message' ? [event.text] : []))

const cursorOf = (database: KeptDatabase, home: string): { feed: string; number: number } | undefined => {
  const value = database.get(keys.cursor(home))
  return value && (JSON.parse(Buffer.from(value).toString('utf8')) as { feed: string; number: number })
}

export type Scenario = () => Promise<void>
export const inWorld =
  (run: (world: ClientWorld) => Promise<void>, options: ConstructorParameters<typeof ClientWorld>[0] = {}): Scenario =>
  async () => {
    const world = new ClientWorld(options)
    try {
      await run(world)
    } finally {
      await world.close()
    }
  }

export const scenarios = {
  'a message is stored, received and read, and says when': inWorld(async (world) => {
    const [alice, bob] = [world.enrol('alice'), world.enrol('bob')]
    const [a, b] = [await world.open(alice), await world.open(bob)]
    const sent = await a.send('bob', 'hello', { wait: 'received', timeoutMs: patienceMs() })
    assert.ok(sent.storedAt && sent.receivedAt && sent.storedAt <= sent.receivedAt)
    assert.is(sent.readAt, null)
    assert.equal(await textsOf(b, 'alice'), ['hello'])
    assert.is((await b.inbox())[0]?.unread, 1)
    assert.equal(await b.markRead('alice'), { marked: 1 })
    assert.is((await b.inbox())[0]?.unread, 0)
    await eventually(async () => (await a.status(sent.id)).recipients[0]?.readAt)
    const statuses = (await eventsOf(a)).flatMap((event) => (event.type === 'receipt' ? [event.status] : []))
    assert.equal(statuses, ['received', 'read'])
  }),

  'a read receipt implies received': inWorld(async (world) => {
    const [alice, bob] = [world.enrol('alice'), world.enrol('bob')]
    const a = await world.open(alice)
    const { id } = await a.send('bob', 'hello', { timeoutMs: patienceMs() })
    world.store(receiptOf(bob, 'alice', 'read', [[alice.device, 1, 1]]))
    const recipient = await eventually(async () => {
      const [bobs] = (await a.status(id)).recipients
      return bobs?.readAt ? bobs : undefined
    })
    assert.ok(recipient?.receivedAt)
    assert.is((await a.history('bob'))[0]?.status, 'read')
  }),

  'a receipt that overtakes its message counts, whatever else it claims': inWorld(async (world) => {
    const [alice, second, bob] = [world.enrol('alice'), world.enrol('alice'), world.enrol('bob')]
    const a = await world.open(alice)
    await a.caughtUp({ timeoutMs: patienceMs() })
    world.store(receiptOf(bob, 'alice', 'received', [[second.device, 1, 2 ** 40]]))
    const message = messageOf(second, 'bob', { seq: 1 })
    world.store(message)
    const status = await eventually(async () => {
      const [shown] = await a.history('bob')
      return shown?.status === 'received' ? shown.status : undefined
    })
    assert.is(status, 'received')
  }),

  'nothing is shown twice, whichever ways it comes': inWorld(async (world) => {
    const [alice, bob] = [world.enrol('alice'), world.enrol('bob')]
    const b = await world.open(bob)
    await b.caughtUp({ timeoutMs: patienceMs() })
    const message = messageOf(alice, 'bob', { seq: 1 })
    const kept = world.store(message)
    const [session] = [...world.gateways.values()].flatMap((gateway) => [...gateway.sessions])
    await eventually(async () => (await textsOf(b, 'alice')).length === 1)
    for (let i = 0; i < 3; i += 1) session?.deliver(kept, undefined)
    // What came before this one has been dealt with when it is shown.
    world.store(messageOf(alice, 'bob', { seq: 2 }))
    await eventually(async () => (await textsOf(b, 'alice')).includes('text 2'))
    assert.equal(await shownTexts(b), ['text 1', 'text 2'])
    assert.equal(await textsOf(b, 'alice'), ['text 1', 'text 2'])
  }),

  'of two messages under one id the first is kept': inWorld(async (world) => {
    const [alice, bob] = [world.enrol('alice'), world.enrol('bob')]
    const b = await world.open(bob)
    const id = makeId()
    world.store(messageOf(alice, 'bob', { seq: 1, id, text: 'first' }))
    await eventually(async () => (await textsOf(b, 'alice')).length === 1)
    world.store(messageOf(alice, 'bob', { seq: 1, id, text: 'other' }))
    await eventually(() => b.rejected.doubled === 1)
    assert.equal(await shownTexts(b), ['first'])
  }),

  'what does not verify is not shown and holds nothing up': inWorld(async (world) => {
    const [alice, bob, mallory] = [world.enrol('alice'), world.enrol('bob'), world.enrol('mallory')]
    const stranger = world.enrol('alice', { isPublished: false })
    const eve = world.enrol('eve')
    const database = new KeptDatabase()
    const b = await world.open(bob, database)
    await b.caughtUp({ timeoutMs: patienceMs() })
    world.store(messageOf({ ...mallory, user: 'alice', device: alice.device }, 'bob', { seq: 1, text: 'forged' }))
    world.store(messageOf(stranger, 'bob', { seq: 1, text: 'uncertified' }))
    world.store(messageOf(alice, 'eve', { seq: 1, text: 'for eve' }), { mailboxes: ['u:bob'] })
    const tampered = messageOf(alice, 'bob', { seq: 1, text: 'paid 1' })
    tampered[tampered.length - 1] = '9'.charCodeAt(0)
    world.store(tampered)
    world.store(messageOf(eve, 'bob', { seq: 1, text: 'genuine' }))
    await eventually(() => b.rejected.invalid === 4 && cursorOf(database, HOMES[0])?.number === 5)
    assert.equal(await shownTexts(b), ['genuine'])
    assert.equal(await textsOf(b, 'alice'), [])
  }),

  'after its revocation a device says nothing, before it everything': inWorld(async (world) => {
    const [alice, bob] = [world.enrol('alice'), world.enrol('bob')]
    const at = Date.now()
    world.publish({ revocations: [{ user: 'alice', dev: alice.device, at }] })
    const b = await world.open(bob)
    world.store(messageOf(alice, 'bob', { seq: 1, at: at - 1, text: 'before' }))
    world.store(messageOf(alice, 'bob', { seq: 2, at: at + 1, text: 'after' }))
    await eventually(() => b.rejected.invalid === 1)
    assert.equal(await textsOf(b, 'alice'), ['before'])
  }),

  'a message of unknown outcome leaves again, the same bytes under the same id': inWorld(async (world) => {
    const [alice, bob] = [world.enrol('alice'), world.enrol('bob')]
    const [a, b] = [await world.open(alice), await world.open(bob)]
    let puts = 0
    world.onPut = (header) => (header.k === 'msg' && ++puts === 1 ? 'store-and-cut' : undefined)
    const { id } = await a.send('bob', 'once', { timeoutMs: patienceMs() })
    const sent = world.puts.filter(({ header }) => header.k === 'msg')
    assert.is(sent.length, 2)
    assert.equal(
      sent.map(({ header }) => header.id),
      [id, id],
    )
    assert.ok(Buffer.from(sent[0]?.sealed ?? []).equals(Buffer.from(sent[1]?.sealed ?? [])))
    await eventually(async () => (await textsOf(b, 'alice')).length === 1)
    assert.equal(await shownTexts(b), ['once'])
  }),

  'many leave at once and in order; a retryable refusal keeps its place': inWorld(async (world) => {
    const [alice, bob] = [world.enrol('alice'), world.enrol('bob')]
    const [a, b] = [await world.open(alice), await world.open(bob)]
    const refused = new Set<string>()
    world.onPut = (header) => {
      if (header.k !== 'msg' || header.seq % 7 !== 0 || refused.has(header.id)) return undefined
      refused.add(header.id)
      return new ChatError('QUORUM_UNAVAILABLE')
    }
    const texts = Array.from({ length: 50 }, (_, i) => `m${i}`)
    const results = await Promise.all(texts.map((text) => a.send('bob', text, { timeoutMs: patienceMs() })))
    assert.ok(results.every(({ status }) => status !== 'queued'))
    assert.is(refused.size, 7)
    await eventually(async () => (await textsOf(b, 'alice')).length === 50)
    assert.equal(await textsOf(b, 'alice'), texts)
    assert.equal(await shownTexts(b), texts)
    assert.equal(await b.gaps('alice'), [])
  }),

  'a device whose clock is hours off, either way, is let in once it knows by how much': async () => {
    for (const aheadMs of [7_200_000, -7_200_000]) {
      await inWorld(
        async (world) => {
          world.gatewayNow = () => Date.now()
          const [alice, bob] = [world.enrol('alice'), world.enrol('bob')]
          const [a, b] = [await world.open(alice), await world.open(bob)]
          assert.is((await a.send('bob', 'hi', { timeoutMs: patienceMs() })).status, 'stored')
          await eventually(async () => (await textsOf(b, 'alice')).length === 1)
        },
        { clock: { ...systemClock, now: () => Date.now() + aheadMs } },
      )()
    }
  },

  'a clock that was two hours ahead for a moment holds nothing up': async () => {
    let aheadMs = 0
    const clock = { ...systemClock, now: () => Date.now() + aheadMs }
    await inWorld(
      async (world) => {
        const [alice, bob] = [world.enrol('alice'), world.enrol('bob')]
        const [a, b] = [await world.open(alice), await world.open(bob)]
        let refused = 0
        world.onPut = ({ k, at }) => {
          if (k !== 'msg' || at < Date.now() + 1_800_000) return undefined
          refused += 1
          return new ChatError('MESSAGE_TIME')
        }
        aheadMs = 7_200_000
        const sent = ['one', 'two'].map((text) => a.send('bob', text, { timeoutMs: patienceMs() }))
        await eventually(() => refused > 0)
        aheadMs = 0
        assert.equal(
          (await Promise.all(sent)).map(({ status }) => status !== 'queued'),
          [true, true],
        )
        await eventually(async () => (await textsOf(b, 'alice')).length === 2)
        assert.equal(await textsOf(b, 'alice'), ['one', 'two'])
      },
      { clock },
    )()
  },

  'a message that is refused for good becomes a void, which goes before the next message': inWorld(async (world) => {
    const [alice, bob] = [world.enrol('alice'), world.enrol('bob')]
    const [a, b] = [await world.open(alice), await world.open(bob)]
    world.onPut = (header) => (header.k === 'msg' && header.seq === 1 ? new ChatError('MESSAGE_INVALID') : undefined)
    const error = await a.send('bob', 'bad', { timeoutMs: patienceMs() }).catch((reason: unknown) => reason)
    assert.ok(error instanceof ChatError && error.code === 'MESSAGE_INVALID')
    await a.settled({ timeoutMs: patienceMs() })
    assert.is(world.puts.length, 1)
    assert.equal(
      (await a.history('bob')).map(({ status }) => status),
      ['refused'],
    )
    await a.send('bob', 'good', { timeoutMs: patienceMs() })
    const sent = world.puts.flatMap(({ header }) =>
      header.k === 'msg' || header.k === 'void' ? [`${header.k} ${header.seq}`] : [],
    )
    assert.equal(sent, ['msg 1', 'void 1', 'msg 2'])
    await eventually(async () => (await textsOf(b, 'alice')).length === 1)
    assert.equal(await b.gaps('alice'), [])
    assert.is((await b.inbox())[0]?.unread, 1)
  }),

  'the void of a message whose successor is stored already does not wait for the next': inWorld(async (world) => {
    const [alice, bob] = [world.enrol('alice'), world.enrol('bob')]
    const [a, b] = [await world.open(alice), await world.open(bob)]
    let attempts = 0
    world.onPut = (header) => {
      if (header.k !== 'msg' || header.seq !== 1) return undefined
      attempts += 1
      return new ChatError(attempts === 1 ? 'QUORUM_UNAVAILABLE' : 'MESSAGE_INVALID', { outcome: 'refused' })
    }
    const first = a.send('bob', 'bad', { timeoutMs: patienceMs() }).catch((reason: unknown) => reason)
    await a.send('bob', 'good', { timeoutMs: patienceMs() })
    const error = await first
    assert.ok(error instanceof ChatError && error.code === 'MESSAGE_INVALID')
    await eventually(async () => (await textsOf(b, 'alice')).length === 1)
    await eventually(
      async () => (await b.gaps('alice')).length === 0 && world.puts.some(({ header }) => header.k === 'void'),
    )
  }),

  'whoever was told of a refusal may rely on it after a power cut': inWorld(async (world) => {
    const [alice] = [world.enrol('alice'), world.enrol('bob')]
    const database = new PowerCutDatabase()
    const a = await world.open(alice, database)
    world.onPut = (header) => (header.k === 'msg' ? new ChatError('MESSAGE_INVALID') : undefined)
    const { id } = await a.send('bob', 'bad', { wait: 'queued' })
    const refusal = (chat: LocalChat): Promise<unknown> =>
      chat.send('bob', 'bad', { id, timeoutMs: patienceMs() }).catch((reason: unknown) => reason)
    await refusal(a)
    const left = await database.afterPowerCut()
    await a.close()
    world.onPut = () => undefined
    const again = await world.open(alice, left)
    const error = await refusal(again)
    assert.ok(error instanceof ChatError && error.code === 'MESSAGE_INVALID')
    await again.settled({ timeoutMs: patienceMs() })
    assert.is(world.puts.filter(({ header }) => header.k === 'msg').length, 1)
    const [shown] = await again.history('bob')
    assert.equal([shown?.status, shown?.problem], ['refused', error.message])
  }),

  'after one attempt of unknown outcome a refusal is not final': inWorld(async (world) => {
    const [alice] = [world.enrol('alice'), world.enrol('bob')]
    const a = await world.open(alice)
    let puts = 0
    world.onPut = (header) => {
      if (header.k !== 'msg') return undefined
      puts += 1
      return puts === 1 ? 'cut' : puts === 2 ? new ChatError('USER_UNKNOWN') : undefined
    }
    const result = await a.send('bob', 'insisting', { timeoutMs: patienceMs() })
    assert.is(result.status, 'stored')
    assert.is(puts, 3)
  }),

  'a refusal is not final either when the process died in the attempt after one that was refused': inWorld(
    async (world) => {
      const [alice] = [world.enrol('alice'), world.enrol('bob')]
      const database = new KeptDatabase()
      const a = await world.open(alice, database)
      let puts = 0
      let onDisk: Promise<[Uint8Array, Uint8Array][]> | undefined
      world.onPut = (header) => {
        if (header.k !== 'msg') return undefined
        puts += 1
        if (puts === 1) return new ChatError('QUORUM_UNAVAILABLE', { outcome: 'refused' })
        onDisk ??= database.range({ gte: Buffer.alloc(0), lt: Buffer.of(255) })
        return puts === 2 ? 'silent' : puts === 3 ? new ChatError('USER_UNKNOWN') : undefined
      }
      const { id } = await a.send('bob', 'insisting', { wait: 'queued' })
      await eventually(() => onDisk !== undefined)
      const left = new KeptDatabase()
      await left.batch(
        ((await onDisk) ?? []).map(([key, value]) => ({ key, value })),
        { sync: true },
      )
      await a.close()
      const again = await world.open(alice, left)
      assert.is((await again.send('bob', 'insisting', { id, timeoutMs: patienceMs() })).status, 'stored')
      assert.is(puts, 4)
    },
  ),

  'what was typed offline leaves later, with the time at which it left': inWorld(async (world) => {
    const [alice, bob] = [world.enrol('alice'), world.enrol('bob')]
    const database = new KeptDatabase()
    const [gateway] = world.gateways.values()
    if (gateway) gateway.isUp = false
    const first = await world.open(alice, database)
    const { id, status } = await first.send('bob', 'later', { wait: 'queued' })
    assert.is(status, 'queued')
    assert.equal(
      (await first.history('bob')).map(({ text, status }) => [text, status]),
      [['later', 'queued']],
    )
    await first.close()
    const opened = Date.now()
    if (gateway) gateway.isUp = true
    const again = await world.open(alice, database)
    assert.is((await again.send('bob', 'later', { id, timeoutMs: patienceMs() })).status, 'stored')
    const b = await world.open(bob)
    await eventually(async () => (await textsOf(b, 'alice')).length === 1)
    const [put] = world.puts
    assert.ok((put?.header.at ?? 0) >= opened)
    assert.is(world.puts.filter(({ header }) => header.k === 'msg').length, 1)
  }),

  'everybody shows the same order, whatever came first': inWorld(async (world) => {
    const [alice, bob, laptop] = [world.enrol('alice'), world.enrol('bob'), world.enrol('bob')]
    const base = Date.now()
    const [b, l] = [await world.open(bob), await world.open(laptop)]
    await b.caughtUp({ timeoutMs: patienceMs() })
    await l.caughtUp({ timeoutMs: patienceMs() })
    const old = messageOf(alice, 'bob', { seq: 1, at: base - 5_000, text: 'old' })
    const young = messageOf(laptop, 'alice', { seq: 1, at: base - 1_000, text: 'young' })
    world.store(young)
    await eventually(async () => (await textsOf(b, 'alice')).length === 1)
    world.store(old)
    await eventually(async () => (await textsOf(b, 'alice')).length === 2 && (await textsOf(l, 'alice')).length === 2)
    assert.equal(await textsOf(b, 'alice'), ['old', 'young'])
    assert.equal(await textsOf(l, 'alice'), ['old', 'young'])
  }),

  'a message waits for the one before it, then is shown after a gap, which is repaired': async () => {
    // Nothing is over before the test says so, however slow the machine is.
    const clock = new ManualClock()
    await inWorld(
      async (world) => {
        const [alice, bob] = [world.enrol('alice'), world.enrol('bob')]
        const b = await world.open(bob)
        await b.caughtUp({ timeoutMs: 60_000 })
        const message = (seq: number): Buffer => messageOf(alice, 'bob', { seq, at: 1_790_000_000_000 + seq })
        world.store(message(1))
        world.store(message(3))
        await eventually(async () => (await shownTexts(b)).length === 1)
        world.store(message(2))
        await eventually(async () => (await shownTexts(b)).length === 3)
        assert.equal(await shownTexts(b), ['text 1', 'text 2', 'text 3'])
        world.store(message(5))
        await clock.advance(limits.gapHoldMs - 1)
        assert.equal(await textsOf(b, 'alice'), ['text 1', 'text 2', 'text 3'])
        assert.equal(await b.gaps('alice'), [])
        await clock.advance(1)
        await eventually(async () => (await textsOf(b, 'alice')).length === 4)
        const [gap] = await b.gaps('alice')
        const five = (await b.history('alice', { limit: 1 }))[0]?.id
        assert.equal(gap, { device: alice.device, from: 4, to: 4, before: five })
        world.store(message(4))
        await eventually(async () => (await textsOf(b, 'alice')).length === 5)
        assert.equal(await textsOf(b, 'alice'), ['text 1', 'text 2', 'text 3', 'text 4', 'text 5'])
        assert.equal(await b.gaps('alice'), [])
      },
      { clock },
    )()
  },

  'history reads back from a message and on from a message or a time': inWorld(async (world) => {
    const [alice, bob] = [world.enrol('alice'), world.enrol('bob')]
    const begin = 1_790_000_000_000
    for (let seq = 1; seq <= 9; seq++) world.store(messageOf(alice, 'bob', { seq, at: begin + seq }))
    const b = await world.open(bob)
    await eventually(async () => (await textsOf(b, 'alice')).length === 9)
    const ids = (await b.history('alice')).map(({ id }) => id)
    const page = async (options: Parameters<typeof b.history>[1]): Promise<number[]> =>
      (await b.history('alice', options)).map(({ id }) => ids.indexOf(id) + 1)
    const at = (index: number): string => ids[index - 1] ?? ''
    assert.equal(await page({ before: at(4), limit: 2 }), [2, 3])
    assert.equal(await page({ after: at(4), limit: 2 }), [5, 6])
    assert.equal(await page({ after: at(4) }), [5, 6, 7, 8, 9])
    assert.equal(await page({ after: at(9) }), [])
    assert.equal(await page({ since: new Date(begin + 7).toISOString() }), [7, 8, 9])
    assert.equal(await page({ since: new Date(begin + 10).toISOString() }), [])
    const codeOf = (options: Parameters<typeof b.history>[1]): Promise<unknown> =>
      b.history('alice', options).catch((error: unknown) => (error instanceof ChatError ? error.code : error))
    assert.is(await codeOf({ since: 'yesterday' }), 'USAGE')
    assert.is(await codeOf({ after: 'none' }), 'MESSAGE_UNKNOWN')
  }),

  'the list of conversations follows what comes, goes and is blocked, and reads the database for that alone': inWorld(
    async (world) => {
      const [alice, bob] = [world.enrol('alice'), world.enrol('bob')]
      const database = new KeptDatabase()
      const range = database.range.bind(database)
      let reads = 0
      database.range = (wanted) => {
        reads += 1
        return range(wanted)
      }
      const b = await world.open(bob, database)
      const entry = async (): Promise<[text: string, unread: number, first: string | null] | undefined> => {
        const [first] = await b.inbox()
        return first && [first.last?.text ?? '', first.unread, first.firstUnread]
      }
      const send = async (seq: number): Promise<string> => {
        world.store(messageOf(alice, 'bob', { seq }))
        await eventually(async () => (await entry())?.[0] === `text ${seq}`)
        return (await b.history('alice')).at(-1)?.id ?? ''
      }
      assert.is(await entry(), undefined)
      const [one, two] = [await send(1), await send(2)]
      assert.equal(await entry(), ['text 2', 2, one])
      await b.markRead('alice', { upTo: one })
      assert.equal(await entry(), ['text 2', 1, two])
      await b.markRead('alice')
      assert.equal(await entry(), ['text 2', 0, null])
      const { id } = await b.send('alice', 'mine', { timeoutMs: patienceMs() })
      assert.equal(await entry(), ['mine', 0, null])
      await b.edit(id, 'mine, better', { timeoutMs: patienceMs() })
      assert.is((await entry())?.[0], 'mine, better')
      await b.delete(id, { timeoutMs: patienceMs() })
      assert.is((await b.inbox())[0]?.last?.deleted, true)
      await b.block('alice')
      const [blocked] = await b.inbox()
      assert.equal([blocked?.last?.deleted, blocked?.blocked], [true, true])
      await b.unblock('alice')
      assert.is((await b.inbox())[0]?.blocked, undefined)
      await send(3)
      reads = 0
      for (let count = 0; count < 50; count++) await entry()
      assert.is(reads, 0)
    },
  ),

  'cursors move by pages only': inWorld(async (world) => {
    const [alice, bob] = [world.enrol('alice'), world.enrol('bob')]
    const database = new KeptDatabase()
    world.store(messageOf(alice, 'bob', { seq: 1 }))
    const b = await world.open(bob, database)
    await eventually(() => cursorOf(database, HOMES[0])?.number === 1 && cursorOf(database, HOMES[1])?.number === 1)
    world.isNoticing = false
    world.store(messageOf(alice, 'bob', { seq: 2 }))
    await eventually(async () => (await textsOf(b, 'alice')).length === 2)
    const [other] = [world.enrol('carol')]
    world.isPushing = false
    world.store(messageOf(other, 'bob', { seq: 1 }))
    assert.is(cursorOf(database, HOMES[0])?.number, 1)
    world.cut()
    await eventually(async () => (await textsOf(b, 'carol')).length === 1)
    await eventually(() => cursorOf(database, HOMES[0])?.number === world.mailbox('bob').length)
    assert.is(cursorOf(database, HOMES[0])?.feed, FEED)
  }),

  'a cursor never passes what is not on disk': inWorld(async (world) => {
    const [alice, bob] = [world.enrol('alice'), world.enrol('bob')]
    const database = new KeptDatabase()
    const b = await world.open(bob, database)
    await b.caughtUp({ timeoutMs: patienceMs() })
    // Its author's certificate cannot be had: the record waits, and so must the cursor.
    let asked = 0
    const get = world.certificates.get.bind(world.certificates)
    world.certificates.get = (user: string) => {
      if (user !== 'alice') return get(user)
      asked += 1
      throw new ChatError('QUORUM_UNAVAILABLE')
    }
    world.store(messageOf(alice, 'bob', { seq: 1 }))
    await eventually(() => asked > 1)
    assert.is(cursorOf(database, HOMES[0])?.number ?? 0, 0)
    world.certificates.get = get
    await eventually(() => cursorOf(database, HOMES[0])?.number === 1)
    assert.equal(await textsOf(b, 'alice'), ['text 1'])
  }),

  'a device that is newer than what a gateway remembers of its user': inWorld(async (world) => {
    const [phone, bob] = [world.enrol('alice'), world.enrol('bob')]
    const b = await world.open(bob)
    await b.caughtUp({ timeoutMs: patienceMs() })
    const laptop = world.enrol('alice')
    const get = world.certificates.get.bind(world.certificates)
    const until = Date.now() + 1_000
    world.certificates.get = (user: string) =>
      user === 'alice' && Date.now() < until ? [phone.certificate] : get(user)
    world.store(messageOf(laptop, 'bob', { seq: 1 }))
    await eventually(async () => (await textsOf(b, 'alice')).length === 1)
    assert.is(b.rejected.invalid, 0)
  }),

  'what a cache says of devices refuses none': inWorld(
    async (world) => {
      const [phone, bob] = [world.enrol('alice'), world.enrol('bob')]
      const b = await world.open(bob)
      await b.caughtUp({ timeoutMs: 10 * patienceMs() })
      const laptop = world.enrol('alice')
      const both = world.certificates.get('alice') ?? []
      world.certificates.set('alice', [phone.certificate])
      world.hasFewHomes = true
      let asked = 0
      const get = world.certificates.get.bind(world.certificates)
      world.certificates.get = (user: string) => {
        if (user === 'alice') asked += 1
        return get(user)
      }
      world.store(messageOf(laptop, 'bob', { seq: 1 }))
      await eventually(() => asked > 4)
      assert.is(b.rejected.invalid, 0)
      world.certificates.set('alice', both)
      world.hasFewHomes = false
      await eventually(async () => (await textsOf(b, 'alice')).length === 1)
    },
    { clock: fastClock(10) },
  ),

  'what no push brought is fetched': inWorld(async (world) => {
    const [alice, bob] = [world.enrol('alice'), world.enrol('bob')]
    world.isPushing = false
    const b = await world.open(bob)
    await b.caughtUp({ timeoutMs: patienceMs() })
    world.store(messageOf(alice, 'bob', { seq: 1 }))
    await eventually(async () => (await textsOf(b, 'alice')).length === 1)
    await b.caughtUp({ timeoutMs: patienceMs() })
  }),

  'reading on one device is reading on all, and is told once': inWorld(async (world) => {
    const [alice, bob, laptop] = [world.enrol('alice'), world.enrol('bob'), world.enrol('bob')]
    const [b, l] = [await world.open(bob), await world.open(laptop)]
    world.store(messageOf(alice, 'bob', { seq: 1 }))
    await eventually(async () => (await l.inbox())[0]?.unread === 1 && (await b.inbox())[0]?.unread === 1)
    await b.markRead('alice')
    await eventually(async () => (await l.inbox())[0]?.unread === 0)
    await l.settled({ timeoutMs: patienceMs() })
    await b.settled({ timeoutMs: patienceMs() })
    const read = world.puts.filter(({ header }) => header.k === 'rcpt' && header.st === 'read')
    assert.equal(
      read.map(({ header }) => header.dev),
      [bob.device],
    )
  }),

  'of a blocked user nothing arrives, and that user learns nothing': inWorld(async (world) => {
    const [alice, bob, laptop] = [world.enrol('alice'), world.enrol('bob'), world.enrol('bob')]
    const [b, l] = [await world.open(bob), await world.open(laptop)]
    await b.block('alice')
    await eventually(async () => (await l.blocked()).includes('alice'))
    world.store(messageOf(alice, 'bob', { seq: 1, text: 'hidden' }))
    await b.caughtUp({ timeoutMs: patienceMs() })
    await l.caughtUp({ timeoutMs: patienceMs() })
    await b.unblock('alice')
    await eventually(async () => (await l.blocked()).length === 0)
    world.store(messageOf(alice, 'bob', { seq: 2, text: 'shown' }))
    await eventually(async () => (await shownTexts(b)).length === 1 && (await shownTexts(l)).length === 1)
    assert.equal(await shownTexts(b), ['shown'])
    await b.settled({ timeoutMs: patienceMs() })
    const told = world.puts.flatMap(({ header }) => (header.k === 'rcpt' ? header.r : []))
    assert.ok(told.every(([, from]) => from === 2))
  }),

  'an impostor gets no proof and no message': inWorld(async (world) => {
    const alice = world.enrol('alice')
    const gateway = world.gateways.get('ws://gw-1')
    const genuine = gateway?.keys
    if (gateway)
      gateway.keys = { ...world.enrol('eve'), secretKey: world.enrol('eve').seed, publicKey: new Uint8Array(32) }
    const a = await world.open(alice)
    await eventually(async () => (await a.connection()).problem)
    assert.is.not((await a.connection()).state, 'online')
    assert.ok([...(gateway?.sessions ?? [])].every(({ user }) => user === undefined))
    if (gateway && genuine) gateway.keys = genuine
    await eventually(async () => (await a.connection()).state === 'online')
  }),

  'whatever a gateway sends, only its connection ends': inWorld(async (world) => {
    const [alice, bob] = [world.enrol('alice'), world.enrol('bob')]
    const b = await world.open(bob)
    const [gateway] = world.gateways.values()
    const garbage: [type: string, fields: Record<string, unknown>][] = [
      ['auth.map', { map: 'AAAA', gateway: 'gw-1' }],
      ['feed.page', { home: 'home-1', feed: FEED, from: 0, to: 9, head: 9, keys: 'AAAA' }],
      ['feed.page', { home: 'home-1' }],
      ['record.push', { records: [['AAAA', 1]] }],
      ['record.push', { records: 'all' }],
      ['feed.records', { id: 99_999, records: [], missing: '' }],
      ['error', { code: 'NEWER_THAN_US', message: 'x', retryable: true, outcome: 'unknown' }],
      ['from.the.future', {}],
    ]
    for (const [type, fields] of garbage) {
      const [session] =
        (await eventually(async () => {
          const isOnline = (await b.connection()).state === 'online'
          return isOnline && gateway?.sessions.size === 1 ? [...gateway.sessions] : undefined
        })) ?? []
      session?.send(type, fields)
      await turns()
    }
    world.store(messageOf(alice, 'bob', { seq: 1 }))
    await eventually(async () => (await textsOf(b, 'alice')).length === 1)
    assert.equal(await shownTexts(b), ['text 1'])
  }),

  'a device that lost its database goes on with its numbers': inWorld(async (world) => {
    const [alice, bob] = [world.enrol('alice'), world.enrol('bob')]
    const before = await world.open(alice)
    for (const text of ['one', 'two']) await before.send('bob', text, { timeoutMs: patienceMs() })
    await before.close()
    const after = await world.open(alice)
    await after.caughtUp({ timeoutMs: patienceMs() })
    await after.send('bob', 'three', { timeoutMs: patienceMs() })
    const sent = world.puts.flatMap(({ header }) => (header.k === 'msg' ? [header.seq] : []))
    assert.equal(sent, [1, 2, 3])
    const b = await world.open(bob)
    await eventually(async () => (await textsOf(b, 'alice')).length === 3)
  }),

  'a gateway that drains loses its clients at once, and they lose nothing': inWorld(
    async (world) => {
      const [alice] = [world.enrol('alice'), world.enrol('bob')]
      const a = await world.open(alice)
      await a.settled({ timeoutMs: patienceMs() })
      const { gateway: before } = await a.connection()
      const other = [...world.gateways.keys()].find((url) => url !== before) ?? ''
      const sends = Array.from({ length: 20 }, (_, i) => a.send('bob', `m${i}`, { timeoutMs: patienceMs() }))
      world.gateways.get(before ?? '')?.drain([other])
      const results = await Promise.all(sends)
      assert.ok(results.every(({ status }) => status === 'stored'))
      await eventually(async () => (await a.connection()).gateway === other)
      assert.is(new Set(world.mailbox('bob').map(({ header }) => header.id)).size, 20)
    },
    { gateways: ['gw-1', 'gw-2'] },
  ),

  'a gateway through which nothing can be stored is left for another, and not for good': inWorld(
    async (world) => {
      const [alice] = [world.enrol('alice'), world.enrol('bob')]
      const a = await world.open(alice)
      await a.settled({ timeoutMs: patienceMs() })
      const cutOff = world.gateways.get((await a.connection()).gateway ?? '')
      world.onPut = () => (cutOff?.sessions.size ? new ChatError('QUORUM_UNAVAILABLE') : undefined)
      const { status } = await a.send('bob', 'from the smaller side', { timeoutMs: 6 * patienceMs() })
      assert.is(status, 'stored')
      assert.is(cutOff?.sessions.size, 0)
      assert.is(world.mailbox('bob').length, 1)
    },
    { gateways: ['gw-1', 'gw-2'], clock: fastClock(10) },
  ),

  'search finds words on this device': inWorld(async (world) => {
    const [alice, bob] = [world.enrol('alice'), world.enrol('bob')]
    const b = await world.open(bob)
    world.store(messageOf(alice, 'bob', { seq: 1, text: 'the deploy has failed' }))
    world.store(messageOf(alice, 'bob', { seq: 2, text: 'lunch?' }))
    await eventually(async () => (await textsOf(b, 'alice')).length === 2)
    const found = async (words: string): Promise<string[]> => (await b.search(words)).map(({ text }) => text)
    assert.equal(await found('fail deploy'), ['the deploy has failed'])
    assert.equal(await found('breakfast'), [])
    world.store(messageOf(alice, 'bob', { seq: 3, text: 'deploy again' }))
    await eventually(async () => (await textsOf(b, 'alice')).length === 3)
    assert.equal(await found('deploy'), ['the deploy has failed', 'deploy again'])
  }),
} satisfies Record<string, Scenario>
