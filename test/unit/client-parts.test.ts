// The pure parts of the client, each against its rule or a model.
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parseDuration } from '../../src/cli/duration.ts'
import { ChangeSignal } from '../../src/client/change-signal.ts'
import type { Conversation } from '../../src/client/conversations.ts'
import { isNextPage } from '../../src/client/feed.ts'
import { gapsOf } from '../../src/client/gaps.ts'
import { backoffMs, GatewayChoice } from '../../src/client/gateway-choice.ts'
import { idMaker } from '../../src/client/ids.ts'
import { clampTimes, statusOf } from '../../src/client/message-view.ts'
import { decodeEntry, encodeEntry, fateOf, noteGone, type OutboxEntry } from '../../src/client/outbox-entry.ts'
import {
  addRange,
  common,
  countOf,
  holesOf,
  includes,
  type SequenceRange,
  type SequenceRanges,
  without,
} from '../../src/client/sequence-ranges.ts'
import { socketPath } from '../../src/client/socket-path.ts'
import { withReceipt } from '../../src/client/statuses.ts'
import { gatewaysOf } from '../../src/client/gateway-addresses.ts'
import { checkGatewayUrl } from '../../src/client/websocket.ts'
import { systemRandom } from '../../src/platform/system.ts'
import { ChatError, type ErrorCode } from '../../src/protocol/errors.ts'
import { isRecordId } from '../../src/protocol/records.ts'
import { FakeClock } from '../fake-clock.ts'

const ranges = suite('sequence ranges')
const HIGHEST = 40
const pairs = fc.array(fc.tuple(fc.integer({ min: 1, max: HIGHEST }), fc.integer({ min: 0, max: 6 })), {
  maxLength: 15,
})
const build = (spans: [number, number][]): { set: SequenceRanges; model: Set<number> } => {
  const set: SequenceRanges = []
  const model = new Set<number>()
  for (const [from, length] of spans) {
    addRange(set, from, from + length)
    for (let n = from; n <= from + length; n += 1) model.add(n)
  }
  return { set, model }
}
const numbersOf = (set: SequenceRanges): number[] =>
  set.flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, i) => from + i))
const sorted = (numbers: Iterable<number>): number[] => [...numbers].sort((a, b) => a - b)

ranges('hold exactly what was added, in ranges that do not touch', () => {
  fc.assert(
    fc.property(pairs, (spans) => {
      const { set, model } = build(spans)
      assert.equal(numbersOf(set), sorted(model))
      assert.is(countOf(set), model.size)
      assert.ok(set.every(([from], i) => i === 0 || from > (set[i - 1]?.[1] ?? 0) + 1))
      for (let n = 0; n <= HIGHEST + 8; n += 1) assert.is(includes(set, n), model.has(n))
    }),
  )
})

ranges('differences, intersections and holes are those of sets', () => {
  fc.assert(
    fc.property(pairs, pairs, (first, second) => {
      const [a, b] = [build(first), build(second)]
      assert.equal(numbersOf(without(a.set, b.set)), sorted([...a.model].filter((n) => !b.model.has(n))))
      assert.equal(numbersOf(common(a.set, b.set)), sorted([...a.model].filter((n) => b.model.has(n))))
      const highest = Math.max(0, ...a.model)
      const lacking = Array.from({ length: highest }, (_, i) => i + 1).filter((n) => !a.model.has(n))
      assert.equal(numbersOf(holesOf(a.set, 1)), lacking)
    }),
  )
})
ranges.run()

const parts = suite('client parts')

parts('ids are UUIDv7 and rise, whatever the clock does', () => {
  let now = 1_790_000_000_000
  const makeId = idMaker({ now: () => now }, systemRandom)
  const ids: string[] = []
  for (let i = 0; i < 10_000; i += 1) {
    if (i % 3_000 === 2_999) now -= 5_000
    ids.push(makeId())
  }
  assert.ok(ids.every(isRecordId))
  assert.equal([...ids].sort(), ids)
  assert.is(new Set(ids).size, ids.length)
})

parts('waits grow, are bounded and full of jitter', () => {
  const full = { float: () => 1 }
  assert.equal(
    [0, 1, 2, 3].map((n) => backoffMs(n, full)),
    [100, 200, 400, 800],
  )
  assert.is(backoffMs(50, full), 5_000)
  assert.is(backoffMs(50, { float: () => 0 }), 0)
})

parts('every gateway is tried before any again, one that drains last', () => {
  const choice = new GatewayChoice(['ws://a', 'ws://b', 'ws://c'], systemRandom)
  choice.learn(['ws://d', 'http://no'])
  choice.avoid('ws://b', 0)
  const tried = Array.from({ length: 4 }, () => choice.next(1))
  assert.equal(new Set(tried.map(({ url }) => url)), new Set(['ws://a', 'ws://b', 'ws://c', 'ws://d']))
  assert.is(tried[3]?.url, 'ws://b')
  assert.equal(
    tried.map(({ isRound }) => isRound),
    [true, false, false, false],
  )
  assert.ok(choice.next(1).isRound)
})

const queued: OutboxEntry = {
  kind: 'msg',
  id: '01934c5e-7a2b-7c3d-8e4f-5a6b7c8d9e0f',
  lane: 'alice:bob',
  place: 7,
  to: 'bob',
  writtenAt: 1,
  bytes: Buffer.from('line\nline\n\0\xff', 'latin1'),
  isSealed: true,
  isUncertain: false,
  isParked: false,
}

const FATES: [isUncertain: boolean, code: ErrorCode, fate: string][] = [
  [false, 'USER_UNKNOWN', 'final'],
  [false, 'MESSAGE_INVALID', 'final'],
  [true, 'USER_UNKNOWN', 'again'],
  [false, 'QUORUM_UNAVAILABLE', 'again'],
  [false, 'RATE_LIMITED', 'again'],
  [false, 'AUTH_REVOKED', 'again'],
  [false, 'MESSAGE_TIME', 'again'],
  [false, 'OUTCOME_UNKNOWN', 'again-uncertain'],
  [false, 'NET_CLOSED', 'again-uncertain'],
  [false, 'NET_TIMEOUT', 'again-uncertain'],
  [false, 'INTERNAL', 'again-uncertain'],
]
for (const [isUncertain, code, fate] of FATES) {
  parts(`${code}${isUncertain ? ' after an attempt of unknown outcome' : ''} means ${fate}`, () => {
    assert.is(fateOf({ isUncertain }, new ChatError(code), 0), fate)
  })
}

parts(
  'attachments that stay gone refuse a message also after an attempt of unknown outcome, which has to be none of theirs',
  () => {
    const entry = { ...queued, isUncertain: true }
    const fateAfter = (code: ErrorCode, now: number): string => {
      noteGone(entry, new ChatError(code), now)
      return fateOf(entry, new ChatError(code), now)
    }
    assert.is(fateAfter('BLOB_UNKNOWN', 1_000), 'again')
    assert.is(fateAfter('QUORUM_UNAVAILABLE', 40_000), 'again')
    assert.is(fateAfter('NET_CLOSED', 50_000), 'again-uncertain')
    assert.is(fateAfter('BLOB_UNKNOWN', 70_000), 'again')
    assert.is(fateAfter('BLOB_UNKNOWN', 129_999), 'again')
    assert.is(fateAfter('BLOB_UNKNOWN', 130_000), 'final')
  },
)

parts('what waits in the outbox is read back as it was', () => {
  const back = decodeEntry(encodeEntry(queued))
  assert.equal({ ...back, bytes: [...back.bytes] }, { ...queued, bytes: [...queued.bytes] })
})

parts('a status keeps the earliest times and never goes back', () => {
  const receipts = fc.array(
    fc.tuple(fc.constantFrom('received' as const, 'read' as const), fc.integer({ min: 1, max: 50 })),
  )
  fc.assert(
    fc.property(receipts, fc.integer({ min: 1, max: 50 }), (list, storedAt) => {
      let times = { receivedAt: 0, readAt: 0 }
      let rank = 0
      for (const [state, at] of list) {
        times = withReceipt(times, state, at)
        const shown = clampTimes(storedAt, times)
        const next = ['queued', 'stored', 'received', 'read'].indexOf(statusOf(shown))
        assert.ok(next >= rank)
        rank = next
        assert.ok(
          (shown.storedAt ?? '') <= (shown.receivedAt ?? '9') && (shown.receivedAt ?? '') <= (shown.readAt ?? '9'),
        )
        assert.ok(times.readAt === 0 || (times.receivedAt > 0 && times.receivedAt <= times.readAt))
      }
      const reads = list.filter(([state]) => state === 'read').map(([, at]) => at)
      assert.is(times.readAt, reads.length > 0 ? Math.min(...reads) : 0)
      assert.is(times.receivedAt, list.length > 0 ? Math.min(...list.map(([, at]) => at)) : 0)
    }),
  )
})

parts('a cursor follows pages that begin at or before it, of its own feed or from zero', () => {
  const cursor = { feed: 'f', number: 10 }
  assert.ok(isNextPage(cursor, { feed: 'f', from: 10 }))
  assert.ok(isNextPage(cursor, { feed: 'f', from: 3 }))
  assert.not(isNextPage(cursor, { feed: 'f', from: 11 }))
  assert.ok(isNextPage(cursor, { feed: 'g', from: 0 }))
  assert.not(isNextPage(cursor, { feed: 'g', from: 5 }))
  assert.ok(isNextPage(undefined, { feed: 'f', from: 0 }))
  assert.not(isNextPage(undefined, { feed: 'f', from: 1 }))
})

parts('gaps are holes that are waited for no more; before the first message only of young devices', () => {
  const coverage = { user: 'bob', read: [], toldReceived: [], toldRead: [], syncedRead: [] }
  const held: SequenceRanges = [
    [3, 4],
    [7, 7],
    [9, 9],
  ]
  const conversation: Conversation = {
    id: 'a:bob',
    maxAt: 0,
    nextSeq: 1,
    devices: new Map([['d', { ...coverage, held, floor: 7 }]]),
  }
  const idAt = (_device: string, seq: number): string => `id ${seq}`
  const all = (_coverage: unknown, range: SequenceRange): SequenceRange => range
  const old = gapsOf(conversation, { isYoung: () => false, idAt, missing: all })
  assert.equal(old, [{ device: 'd', from: 5, to: 6, before: 'id 7' }])
  const young = gapsOf(conversation, { isYoung: () => true, idAt, missing: all })
  assert.equal(
    young.map(({ from, to }) => [from, to]),
    [
      [1, 2],
      [5, 6],
    ],
  )
  const missing = (_coverage: unknown, [from, to]: SequenceRange): SequenceRange | undefined =>
    from === 5 ? undefined : [from + 1, to]
  const away = gapsOf(conversation, { isYoung: () => true, idAt, missing })
  assert.equal(
    away.map(({ from, to }) => [from, to]),
    [[2, 2]],
  )
})

parts('durations', () => {
  assert.equal(['500ms', '30s', '5m', '1h', '1.5s'].map(parseDuration), [500, 30_000, 300_000, 3_600_000, 1_500])
  for (const text of ['5', 's', '-1s', '1 s', '1d', '1e3s']) assert.throws(() => parseDuration(text))
})

parts('a list of gateways may have spaces, and a comma at its end', () => {
  assert.equal(gatewaysOf({ gateway: 'ws://127.0.0.1:1, ws://127.0.0.1:2,' }), ['ws://127.0.0.1:1', 'ws://127.0.0.1:2'])
  assert.throws(() => gatewaysOf({ gateway: 'ws://127.0.0.1:1 ws://127.0.0.1:2' }))
})

parts('plain ws:// beyond this machine is refused unless asked for', () => {
  const codeOf = (url: string, insecure = false): string | undefined => {
    try {
      checkGatewayUrl(url, { insecure })
      return undefined
    } catch (error) {
      return error instanceof ChatError ? error.code : 'other'
    }
  }
  for (const url of ['ws://127.0.0.1:1', 'ws://localhost', 'ws://[::1]:7', 'wss://chat.example'])
    assert.is(codeOf(url), undefined)
  for (const url of ['ws://chat.example', 'ws://127.0.0.1.example:1', 'ws://10.0.0.1'])
    assert.is(codeOf(url), 'NET_INSECURE')
  assert.is(codeOf('ws://chat.example', true), undefined)
  for (const url of ['http://localhost', 'localhost:7400', '']) assert.is(codeOf(url), 'USAGE')
})

parts('sockets of deep directories get a short path, always the same', () => {
  assert.is(socketPath('/short'), '/short/socket')
  const deep = `/tmp/${'d'.repeat(200)}`
  assert.ok(Buffer.byteLength(socketPath(deep)) < 104)
  assert.is(socketPath(deep), socketPath(deep))
  assert.is.not(socketPath(deep), socketPath(`${deep}e`))
})

parts.run()

const changes = suite('the signal of changes')

changes('the first is told at the end of its turn, those that follow together, a frame later', () => {
  const clock = new FakeClock()
  const signal = new ChangeSignal(clock)
  const told: number[] = []
  signal.add(() => told.push(clock.monotonic()))
  const change = (): void => {
    signal.changed()
    signal.changed()
  }
  change()
  assert.equal(told, [])
  clock.advance(0)
  assert.equal(told, [0])
  clock.advance(5)
  change()
  clock.advance(5)
  change()
  clock.advance(100)
  assert.equal(told, [0, 16])
  change()
  clock.advance(0)
  assert.equal(told, [0, 16, 110])
})

changes.run()
