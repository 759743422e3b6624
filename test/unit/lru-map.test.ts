// What was used least recently is forgotten first, and only when there are too many.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { LruMap } from '../../src/platform/lru-map.ts'

const lru = suite('lru-map')

lru('use keeps an entry, age does not', () => {
  const map = new LruMap<string, number>({ max: 2 })
  map.set('a', 1)
  map.set('b', 2)
  assert.is(map.get('a'), 1)
  map.set('c', 3)
  assert.equal([map.get('a'), map.get('b'), map.get('c')], [1, undefined, 3])
  map.set('a', 4)
  map.set('d', 5)
  assert.equal([map.get('a'), map.get('c'), map.get('d'), map.size], [4, undefined, 5, 2])
})

lru('false is a value, a deleted entry is none', () => {
  const map = new LruMap<string, boolean>({ max: 2 })
  map.set('a', false)
  assert.is(map.get('a'), false)
  map.delete('a')
  assert.is(map.get('a'), undefined)
})

lru.run()
