// Settings of a user: of two changes the later counts, of two at the same time that of the device with the greater id, and of one device the
// one that it made last.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Conversations } from '../../src/client/conversations.ts'
import { LocalStore } from '../../src/client/local-store.ts'
import { blockKey, Settings } from '../../src/client/settings.ts'
import { MemoryDatabase } from '../../src/platform/memory-database.ts'
import { silentLogger } from '../../src/platform/ports.ts'
import { systemClock } from '../../src/platform/system.ts'

const made = () => {
  const store = new LocalStore({ database: new MemoryDatabase(), clock: systemClock, log: silentLogger })
  const otherOf = (conversation: string): string => conversation
  const settings = new Settings({ store, conversations: new Conversations(store), otherOf, onBlocks: () => {} })
  const set = (at: number, dev: string, blocked: boolean): boolean => {
    settings.apply({ key: blockKey('bob'), at, dev }, Buffer.from(JSON.stringify({ blocked })))
    return settings.isBlocked('bob')
  }
  return set
}

test('of one device the last word counts, also within a millisecond', () => {
  const set = made()
  assert.is(set(5, 'a', true), true)
  assert.is(set(5, 'a', false), false)
  assert.is(set(5, 'a', true), true)
})

test('of several devices the later word counts, whichever comes first', () => {
  const set = made()
  assert.is(set(5, 'b', true), true)
  assert.is(set(5, 'a', false), true)
  assert.is(set(4, 'c', false), true)
  assert.is(set(5, 'c', false), false)
  assert.is(set(6, 'a', true), true)
})

test.run()
