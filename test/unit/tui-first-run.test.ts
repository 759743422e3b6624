// The first start: what is asked, what is asked again, and what ends it.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Answers, firstRun } from '../../src/cli/chat/first-run.ts'
import { asChatError, ChatError, type ErrorCode } from '../../src/protocol/errors.ts'

const play = async (typed: string[], fails: ErrorCode[], known: Partial<Answers> = {}) => {
  const asked: string[] = []
  const tried: Answers[] = []
  const said: string[] = []
  const ask = async (question: string, usual: string): Promise<string> => {
    asked.push(question.split(' ')[0] === 'Address' ? 'gateway' : question.startsWith('Your') ? 'name' : 'invite')
    return typed.shift() || usual
  }
  const register = async (answers: Answers): Promise<{ user: string }> => {
    tried.push({ ...answers })
    const code = fails.shift()
    if (code) throw new ChatError(code, { message: `no:\x1b[2J ${code}` })
    return { user: answers.name }
  }
  const usual = { gateway: 'ws://g', name: 'me' }
  const end = await firstRun({ ask, say: (line) => said.push(line), register }, { known, usual }).then(
    ({ user }) => user,
    (error: unknown) => asChatError(error).code,
  )
  return { asked, tried, said, end }
}

const cases: [
  name: string,
  typed: string[],
  fails: ErrorCode[],
  asked: string[],
  last: Partial<Answers>,
  end: string,
][] = [
  ['Enter twice', ['', ''], [], ['gateway', 'name'], { gateway: 'ws://g', name: 'me', invite: '' }, 'me'],
  ['both typed', ['ws://x', 'bob'], [], ['gateway', 'name'], { gateway: 'ws://x', name: 'bob' }, 'bob'],
  ['a taken name', ['', 'bob', 'bob2'], ['AUTH_NAME_TAKEN'], ['gateway', 'name', 'name'], { name: 'bob2' }, 'bob2'],
  [
    'no gateway there',
    ['ws://x', '', 'ws://y'],
    ['NET_UNAVAILABLE'],
    ['gateway', 'name', 'gateway'],
    { gateway: 'ws://y' },
    'me',
  ],
  ['the same again', ['ws://x', '', ''], ['NET_TIMEOUT'], ['gateway', 'name', 'gateway'], { gateway: 'ws://x' }, 'me'],
  ['an invite is needed', ['', '', 'code'], ['AUTH_INVITE'], ['gateway', 'name', 'invite'], { invite: 'code' }, 'me'],
  ['something else', ['', ''], ['AUTH_UNAVAILABLE'], ['gateway', 'name'], { name: 'me' }, 'AUTH_UNAVAILABLE'],
]
for (const [name, typed, fails, asked, last, end] of cases) {
  test(name, async () => {
    const played = await play(typed, fails)
    assert.equal(played.asked, asked)
    assert.equal({ ...played.tried.at(-1), ...last }, played.tried.at(-1))
    assert.is(played.end, end)
    assert.not(played.said.join('').includes('\x1b'))
  })
}

test('a gateway that was given is not asked for', async () => {
  const { asked, tried } = await play([''], [], { gateway: 'ws://given' })
  assert.equal(asked, ['name'])
  assert.is(tried[0]?.gateway, 'ws://given')
})

test.run()
