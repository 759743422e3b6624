// deadline: 600s
// Several processes on one profile: one owns it, the others go through it; when it ends or is killed another takes over, and
// nothing is lost, doubled, or complains of a lock.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { eventually } from '../eventually.ts'
import { ChatNode, textsOf } from './chat-node.ts'
import { idleRunMs } from './world.ts'

const share = suite('sharing a profile')
const node = new ChatNode()
share.before(async () => {
  await node.start()
  await node.register('alice', 'bob')
})
share.after(() => node.close())

share('a killed owner is replaced within a second, and listeners miss and repeat nothing', async () => {
  const first = node.listen('bob')
  await node.json('alice', ['send', 'bob', 'one', '--wait', 'received'])
  const second = node.listen('bob')
  const third = node.listen('bob')
  // They start where the first one is: only what comes once they stream is theirs too.
  const areBothStreaming = async (): Promise<boolean> => {
    await node.json('alice', ['send', 'bob', 'are you there?'])
    return textsOf(second).length > 0 && textsOf(third).length > 0
  }
  await eventually(areBothStreaming, { everyMs: 200 })
  await node.json('alice', ['send', 'bob', 'two'])
  await eventually(() => textsOf(second).includes('two') && textsOf(third).includes('two'))
  const inTimeMs = 3_000 + 3 * (await idleRunMs())
  await first.end('SIGKILL')
  const killedAt = performance.now()
  await node.json('alice', ['send', 'bob', 'three', '--wait', 'received', '--timeout', '60s'])
  assert.ok(
    performance.now() - killedAt < inTimeMs,
    `took ${performance.now() - killedAt} ms, starting a process included`,
  )
  await eventually(() => textsOf(second).includes('three') && textsOf(third).includes('three'))
  for (const listener of [second, third]) {
    assert.equal(
      textsOf(listener).filter((text) => text === 'two' || text === 'three'),
      ['two', 'three'],
    )
    assert.is(listener.stderr, '')
  }
  await second.end()
  await third.end()
})

share('sends go through whoever owns, while owners are killed', async () => {
  const owners = [node.listen('alice'), node.listen('alice')]
  await eventually(async () => (await node.json<{ queued: number }>('alice', ['send', '--flush'])).queued === 0)
  const texts = Array.from({ length: 6 }, (_, i) => `parallel ${i}`)
  const sends = texts.map((text) => node.chat('alice', ['send', 'bob', text, '--json']))
  for (const owner of owners) await owner.end('SIGKILL')
  for (const { code, stderr } of await Promise.all(sends)) assert.is(code, 0, stderr)
  const history = await node.json<{ text: string; status: string }[]>('bob', ['history', 'alice'])
  const arrived = history.map(({ text }) => text).filter((text) => text.startsWith('parallel'))
  assert.equal(arrived.sort(), texts)
})

share.run()
