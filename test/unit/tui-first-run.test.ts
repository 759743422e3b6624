// The first start: what is asked, what is asked again, and what ends it.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { chooseProfile } from '../../src/cli/chat/choose-profile.ts'
import { type Answers, firstRun } from '../../src/cli/chat/first-run.ts'
import { qrLines } from '../../src/cli/chat/qr-code.ts'
import { asChatError, ChatError, type ErrorCode } from '../../src/protocol/errors.ts'

const words: [begin: string, means: string][] = [
  ['Address', 'gateway'],
  ['Are you new', 'way'],
  ['Your', 'name'],
  ['Invite', 'invite'],
]
const CODE = 'ABCD-EFGH-IJKL-MNOP'

const play = async (typed: string[], fails: ErrorCode[], known: Partial<Answers> = {}) => {
  const asked: string[] = []
  const tried: Answers[] = []
  const said: string[] = []
  const ask = async (question: string, usual: string): Promise<string> => {
    asked.push(words.find(([begin]) => question.startsWith(begin))?.[1] ?? question)
    return typed.shift() || usual
  }
  const register = async (answers: Answers): Promise<{ user: string }> => {
    tried.push({ ...answers })
    const code = fails.shift()
    if (code) throw new ChatError(code, { message: `no:\x1b[2J ${code}` })
    return { user: answers.name }
  }
  const link = async ({ gateway, onCode }: { gateway: string; onCode: (code: string) => void }) => {
    onCode(CODE)
    await register({ gateway, name: '', invite: '' })
    return { user: 'linked' }
  }
  const usual = { gateway: 'ws://g', name: 'me' }
  const say = (line: string): void => void said.push(line)
  const picture = (code: string): string[] => [`picture of ${code}`]
  const end = await firstRun({ ask, say, register, link, picture }, { known, usual }).then(
    ({ user }) => user,
    (error: unknown) => asChatError(error).code,
  )
  return { asked, tried, said, end }
}

const both = ['gateway', 'way', 'name']
const cases: [
  name: string,
  typed: string[],
  fails: ErrorCode[],
  asked: string[],
  last: Partial<Answers>,
  end: string,
][] = [
  ['Enter only', ['', '', ''], [], [...both], { gateway: 'ws://g', name: 'me', invite: '' }, 'me'],
  ['both typed', ['ws://x', 'new', 'bob'], [], [...both], { gateway: 'ws://x', name: 'bob' }, 'bob'],
  ['a taken name', ['', '', 'bob', 'bob2'], ['AUTH_NAME_TAKEN'], [...both, 'name'], { name: 'bob2' }, 'bob2'],
  [
    'no gateway there',
    ['ws://x', '', '', 'ws://y'],
    ['NET_UNAVAILABLE'],
    [...both, 'gateway'],
    { gateway: 'ws://y' },
    'me',
  ],
  ['the same again', ['ws://x', '', '', ''], ['NET_TIMEOUT'], [...both, 'gateway'], { gateway: 'ws://x' }, 'me'],
  ['what is no address', ['bob', '', '', ''], ['USAGE'], [...both, 'gateway'], { gateway: 'ws://g' }, 'me'],
  ['an invite is needed', ['', '', '', 'code'], ['AUTH_INVITE'], [...both, 'invite'], { invite: 'code' }, 'me'],
  ['something else', ['', '', ''], ['AUTH_UNAVAILABLE'], [...both], { name: 'me' }, 'AUTH_UNAVAILABLE'],
  ['a device more', ['ws://x', 'LINK'], [], ['gateway', 'way'], { gateway: 'ws://x', name: '' }, 'linked'],
  ['neither new nor link', ['', 'bob', 'link'], [], ['gateway', 'way', 'way'], { name: '' }, 'linked'],
  [
    'a device more, and no gateway there',
    ['ws://x', 'link', 'ws://y'],
    ['NET_UNAVAILABLE'],
    ['gateway', 'way', 'gateway'],
    { gateway: 'ws://y' },
    'linked',
  ],
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
  const { asked, tried } = await play(['', ''], [], { gateway: 'ws://given' })
  assert.equal(asked, ['way', 'name'])
  assert.is(tried[0]?.gateway, 'ws://given')
})

test('the code of a device that is to be linked is shown, as words and as a picture', async () => {
  const { said } = await play(['', 'link'], [])
  assert.ok(said.includes(`picture of ${CODE}`))
  assert.ok(said.some((line) => line.includes(`/link ${CODE}`) && line.includes(`chat link --approve ${CODE}`)))
})

test('the picture of a code fits into a small terminal and is light on dark in any theme', () => {
  const lines = qrLines(CODE)
  assert.ok(lines.length <= 15, `${lines.length} lines`)
  for (const line of lines) {
    assert.ok(line.startsWith('  \x1b[97;40m') && line.endsWith('\x1b[0m'))
    assert.match(line.slice(10, -4), /^[ ▀▄█]{25}$/)
  }
})

const choose = async (typed: string[], names: string[]) => {
  const said: string[] = []
  const ask = async (_question: string, usual: string): Promise<string> => typed.shift() || usual
  const profiles = names.map((profile) => ({ profile, user: 'alice' }))
  const chosen = await chooseProfile({ ask, say: (line) => void said.push(line) }, profiles)
  return { chosen, said: said.join('\n') }
}

test('one of several profiles is chosen by its name, a name that is none is asked for again, another begins a new one', async () => {
  const { chosen, said } = await choose(['', 'NO!', 'work'], ['alice', 'work'])
  assert.is(chosen, 'work')
  assert.match(said, /^ {2}alice$\n^ {2}work \(user alice\)$/m)
  assert.is((await choose([''], ['alice'])).chosen, 'alice')
  assert.is((await choose(['fresh'], ['alice'])).chosen, 'fresh')
})

test.run()
