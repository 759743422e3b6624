// Paths in commands: words with spaces, what completes them, and that a file is sent from where the user means.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { absolutePath, pathAndText, pathCandidates, pathInProgress } from '../../src/tui/paths.ts'
import { draftOfCurrent } from '../../src/tui/state.ts'
import { run, type, withBob } from '../tui-state-fixture.ts'

const directory = mkdtempSync(join(tmpdir(), 'chatd-paths-'))
test.before(() => {
  for (const name of ['photo one.jpg', 'photo.png', '.hidden', `it's "so".txt`])
    writeFileSync(join(directory, name), '')
  mkdirSync(join(directory, 'photos'))
})
test.after(() => rmSync(directory, { recursive: true, force: true }))

const words: [typed: string, path: string | undefined, text?: string][] = [
  ['a.png look', 'a.png', 'look'],
  ['photo\\ one.jpg', 'photo one.jpg', ''],
  ['"photo one.jpg" two  "words"\nof mine', 'photo one.jpg', 'two  "words"\nof mine'],
  ["'photo one.jpg' don't", 'photo one.jpg', "don't"],
  ["it's.png", "it's.png", ''],
  ['', undefined],
]
for (const [typed, path, text = ''] of words) {
  const expected = path === undefined ? undefined : [path, text]
  test(`path and text of ${JSON.stringify(typed)}`, () => assert.equal(pathAndText(typed), expected))
}

test('home and relative paths become whole ones', () => {
  assert.is(absolutePath('~/a'), join(homedir(), 'a'))
  assert.is(absolutePath('/a'), '/a')
  assert.is(absolutePath('a'), join(process.cwd(), 'a'))
})

test('candidates are written as they would be typed; hidden files only when asked for', async () => {
  const names = async (typed: string): Promise<string[]> =>
    (await pathCandidates(`${directory}/${typed}`)).map((path) => path.slice(directory.length + 1))
  assert.equal(await names('pho'), ['photo.png', 'photo\\ one.jpg', 'photos/'])
  assert.equal(await names('photo\\ '), ['photo\\ one.jpg'])
  assert.equal(await names(''), [`it\\'s\\ \\"so\\".txt`, 'photo.png', 'photo\\ one.jpg', 'photos/'])
  assert.equal(await names('.h'), ['.hidden'])
  assert.equal(await names('nothing'), [])
})

test('within quotes candidates are quoted too, and closed when they are whole', async () => {
  const names = async (typed: string): Promise<string[]> =>
    (await pathCandidates(typed)).map((path) => path.replace(`${directory}/`, ''))
  assert.equal(await names(`"${directory}/photo `), ['"photo one.jpg"'])
  assert.equal(await names(`'${directory}/photo`), ["'photo one.jpg'", "'photo.png'", "'photos/"])
  // What the quotes cannot hold is written without.
  assert.equal(await names(`"${directory}/it`), [`it\\'s\\ \\"so\\".txt`])
})

const inProgress: [typed: string, path: string | undefined][] = [
  ['"My Doc', '"My Doc'],
  ["'My Doc", "'My Doc"],
  ['my\\ doc', 'my\\ doc'],
  ["it's", "it's"],
  ['', ''],
  ['"My Doc" look', undefined],
  ['"My Doc"', undefined],
  ['a.png look', undefined],
]
for (const [typed, path] of inProgress) {
  test(`the path that is being typed in ${JSON.stringify(typed)}`, () => assert.is(pathInProgress(typed), path))
}

const LEFT = '\x1b[D'
const quoted: [typed: string, candidate: string, draft: string][] = [
  ['/send "My Do\t', '"My Doc.pdf" ', '/send "My Doc.pdf" '],
  [`/send "My Do"${LEFT}\t`, '"My Doc.pdf" ', '/send "My Doc.pdf" '],
  [`/send "My Do" look${LEFT.repeat(6)}\t`, '"My Doc.pdf" ', '/send "My Doc.pdf" look'],
  [`/send 'My Do\t`, `'My Docs/`, `/send 'My Docs/`],
]
for (const [typed, text, expected] of quoted) {
  test(`Tab within quotes: ${JSON.stringify(typed)}`, () => {
    const asked = type(withBob(), typed)
    const { draft, from } = asked.effects[0] as Extract<(typeof asked.effects)[0], { type: 'completePath' }>
    const candidates = [{ text, label: withBob().title }]
    const { state } = run(asked.state, { type: 'completed', from, draft, candidates })
    assert.is(draftOfCurrent(state).text, expected)
  })
}

test('another Tab goes on into the only directory', () => {
  const asked = type(withBob(), '/send pho\t')
  const { draft, from } = asked.effects[0] as Extract<(typeof asked.effects)[0], { type: 'completePath' }>
  const candidates = [{ text: 'photos/', label: withBob().title }]
  const { state } = run(asked.state, { type: 'completed', from, draft, candidates })
  const [effect] = type(state, '\t').effects
  assert.is(effect?.type === 'completePath' ? effect.typed : undefined, 'photos/')
})

test('Tab asks for the path, and the answer goes into the draft that asked', () => {
  const asked = type(withBob(), '/send ~/pho\t')
  const { draft, from } = asked.effects[0] as Extract<(typeof asked.effects)[0], { type: 'completePath' }>
  assert.equal([asked.effects[0]?.type, from], ['completePath', 6])
  const candidates = [{ text: '~/photo.png ', label: withBob().title }]
  const answered = run(asked.state, { type: 'completed', from, draft, candidates }).state
  assert.is(draftOfCurrent(answered).text, '/send ~/photo.png ')
  const late = run(type(asked.state, 'x').state, { type: 'completed', from, draft, candidates }).state
  assert.is(draftOfCurrent(late).text, '/send ~/phox')
})

test('/send sends a file with a text', () => {
  assert.equal(type(withBob(), '/send a\\ b.png two words\r').effects, [
    { type: 'send', conversation: 'bob', text: 'two words', files: ['a b.png'] },
  ])
  assert.match(type(withBob(), '/send\r').state.toast?.text ?? '', /PATH/)
})

test.run()
