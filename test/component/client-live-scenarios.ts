// What a client must do with what is of the moment, each as a scenario in a world of its own.
import * as assert from 'uvu/assert'
import type { LiveEvent, LiveOptions } from '../../src/client/api.ts'
import type { LocalChat } from '../../src/client/local-chat.ts'
import { eventually } from '../eventually.ts'
import type { FakeSession } from './client-gateway.ts'
import { inWorld, type Scenario } from './client-scenarios.ts'
import { type ClientWorld, fastClock } from './client-world.ts'

const timeoutMs = 4_000
const sessionOf = (world: ClientWorld, user: string): FakeSession | undefined =>
  [...world.gateways.values()].flatMap(({ sessions }) => [...sessions]).find((session) => session.user === user)

/** Everything that is told from now on. */
const read = (chat: LocalChat, options: Omit<LiveOptions, 'signal'> = {}): { told: LiveEvent[]; stop: () => void } => {
  const abort = new AbortController()
  const told: LiveEvent[] = []
  void (async () => {
    for await (const event of chat.live({ ...options, signal: abort.signal })) told.push(event)
  })()
  return { told, stop: () => abort.abort() }
}

export const liveScenarios = {
  'what readers want is asked for together, anew after a reconnect, and no more when they end': inWorld(
    async (world) => {
      const a = await world.open(world.enrol('alice'))
      await a.caughtUp({ timeoutMs })
      const first = read(a, { watch: ['bob'], shown: true })
      const second = read(a, { watch: ['carol', 'bob'] })
      const wanted = (): unknown => sessionOf(world, 'alice')?.watched
      const both = { users: ['bob', 'carol'], typing: true, shown: true }
      await eventually(() => JSON.stringify(wanted()) === JSON.stringify(both))
      world.cut()
      await eventually(() => JSON.stringify(wanted()) === JSON.stringify(both))
      sessionOf(world, 'alice')?.send('live.presence', {
        users: [
          ['bob', 'offline', 1_000],
          ['carol', 'online', null],
        ],
      })
      await eventually(() => first.told.length === 1 && second.told.length === 2)
      const gone: LiveEvent = { type: 'presence', user: 'bob', state: 'offline', lastSeen: '1970-01-01T00:00:01.000Z' }
      assert.equal(first.told, [gone])
      // Who begins later is told what is known.
      const third = read(a, { watch: ['bob'] })
      await eventually(() => third.told.length === 1)
      assert.equal(third.told, [gone])
      for (const { stop } of [first, second, third]) stop()
      await eventually(() => JSON.stringify(wanted()) === '{"users":[],"typing":false,"shown":false}')
    },
  ),

  'typing is told once, ends by itself, and is not told of the blocked': inWorld(
    async (world) => {
      const a = await world.open(world.enrol('alice'))
      await a.caughtUp({ timeoutMs })
      await a.block('mallory')
      const { told, stop } = read(a)
      await eventually(() => sessionOf(world, 'alice')?.watched)
      const say = (from: string, active: boolean): void =>
        sessionOf(world, 'alice')?.send('live.typing', { from, conversation: `alice:${from}`, active })
      say('bob', true)
      say('bob', true)
      say('mallory', true)
      say('carol', true)
      say('carol', false)
      say('dave', false)
      await eventually(() => told.some((event) => event.type === 'typing' && event.from === 'bob' && !event.active))
      stop()
      const words = told.flatMap((event) => (event.type === 'typing' ? [`${event.from} ${event.active}`] : []))
      assert.equal(words, ['bob true', 'carol true', 'carol false', 'bob false'])
      assert.equal(told[0], { type: 'typing', conversation: 'bob', from: 'bob', active: true })
    },
    { clock: fastClock(10) },
  ),

  'however often a key is pressed, it is said now and then only': inWorld(async (world) => {
    world.enrol('bob')
    const a = await world.open(world.enrol('alice'))
    await a.caughtUp({ timeoutMs })
    for (let i = 0; i < 50; i += 1) await a.typing('bob', true)
    await a.typing('bob', false)
    await a.typing('bob', false)
    await a.block('bob')
    await a.typing('bob', true)
    const said = (): unknown[] => sessionOf(world, 'alice')?.typed ?? []
    await eventually(() => said().length >= 2)
    await a.settled({ timeoutMs })
    assert.equal(said(), [
      { to: 'bob', active: true },
      { to: 'bob', active: false },
    ])
  }),
} satisfies Record<string, Scenario>
