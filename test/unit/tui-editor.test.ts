// The editor of the user, as programs that do what editors do, well and badly.
import { existsSync, readFileSync, rmSync, mkdtempSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { asChatError } from '../../src/protocol/errors.ts'
import { editText } from '../../src/tui/editor.ts'

const { signal } = new AbortController()
const edit = (text: string, env: Record<string, string>): Promise<string> => editText(text, { env, signal })
const failure = async (EDITOR: string): Promise<string> => {
  try {
    await edit('text', { EDITOR })
    return 'nothing'
  } catch (error) {
    return asChatError(error).message
  }
}

test('the text is what the editor left, without the last line break and without controls', async () => {
  assert.is(await edit('one', { EDITOR: 'true' }), 'one')
  assert.is(await edit('', { EDITOR: 'true' }), '')
  assert.is(await edit('one\n', { EDITOR: 'true' }), 'one\n')
  assert.is(await edit('one', { EDITOR: `sh -c 'printf "two\\r\\n\\033[2J\\n" >> "$1"' sh` }), 'one\ntwo\n[2J')
  assert.is(await edit('one', { EDITOR: 'false', VISUAL: 'true' }), 'one')
})

test('the file is its owner’s only, and goes', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'chatd-editor-'))
  const [names, mode] = [join(directory, 'names'), join(directory, 'mode')]
  await edit('one', { EDITOR: `sh -c 'echo "$1" > ${names}; ls -l "$1" > ${mode}' sh` })
  const file = readFileSync(names, 'utf8').trim()
  assert.match(readFileSync(mode, 'utf8'), /^-rw------- /)
  assert.not(existsSync(dirname(file)))
  assert.ok(statSync(directory).isDirectory())
  rmSync(directory, { recursive: true })
})

const failures: [editor: string, message: RegExp][] = [
  ['false', /ended with code 1; the text is as it was/],
  ['no-such-editor-anywhere', /There is no no-such-editor-anywhere here; set EDITOR/],
  [`sh -c 'head -c 2000000 /dev/zero > "$1"' sh`, /64 KiB/],
]
for (const [editor, message] of failures) {
  test(`an editor that fails: ${editor}`, async () => assert.match(await failure(editor), message))
}

test.run()
