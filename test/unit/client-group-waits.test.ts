// What waits for versions of a group is looked at again when that can change anything, and refused after half a minute of its own.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { GroupWaits } from '../../src/client/group-waits.ts'
import { silentLogger } from '../../src/platform/ports.ts'
import { ChatError } from '../../src/protocol/errors.ts'
import { fastClock } from '../component/client-world.ts'
import { eventually } from '../eventually.ts'

const GROUP = '#01929b2e-7e10-7f4a-8c3d-1a2b3c4d5e6f'
const waits = suite('client: waits for versions of groups')

/** A cluster that gives this user no version, or one that cannot be reached. */
const waitsWith = (code: 'GROUP_DENIED' | 'NET_UNAVAILABLE'): { group: GroupWaits; asked: (number | undefined)[] } => {
  const asked: (number | undefined)[] = []
  const fetch = async (_: string, version: number | undefined): Promise<void> => {
    asked.push(version)
    throw new ChatError(code)
  }
  return { group: new GroupWaits({ clock: fastClock(200), log: silentLogger, fetch }), asked }
}

waits('what waits for a version that never comes is looked at again with every other one', async () => {
  const { group } = waitsWith('GROUP_DENIED')
  let looks = 0
  const again = (): void => {
    looks += 1
    if (looks < 3) wait()
  }
  const wait = (): void => group.add(GROUP, { version: 3, itself: undefined, again, refuse: () => {} })
  wait()
  await eventually(() => looks === 1, { what: 'the cluster does not give it' })
  group.filed(GROUP, 2)
  assert.is(looks, 2)
  group.filed(GROUP, 1)
  assert.is(looks, 3)
  group.stop()
})

waits('each is refused after its own half minute, in which the cluster answered', async () => {
  const { group } = waitsWith('GROUP_DENIED')
  const refused: string[] = []
  const wait = (name: string): void =>
    group.add(GROUP, { version: 0, itself: undefined, again: () => {}, refuse: () => refused.push(name) })
  wait('first')
  await eventually(() => refused.includes('first'))
  wait('second')
  await new Promise((resolve) => setTimeout(resolve, 20)) // four seconds by that clock
  assert.equal(refused, ['first'])
  await eventually(() => refused.includes('second'))
  const away = waitsWith('NET_UNAVAILABLE')
  away.group.add(GROUP, { version: 0, itself: undefined, again: () => {}, refuse: () => refused.push('third') })
  await eventually(() => away.asked.length > 40)
  assert.not(refused.includes('third'))
  group.stop()
  away.group.stop()
})

waits.run()
