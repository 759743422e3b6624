// Whether tmux hands on what terminals say of their focus: by a program of that name that answers.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { focusHint, lacksFocus } from '../../src/tui/tmux-focus.ts'

const answers: [says: string, env: NodeJS.ProcessEnv, lacks: boolean][] = [
  ['echo off', { TMUX: 'socket' }, true],
  ['echo on', { TMUX: 'socket' }, false],
  ['echo no server >&2; exit 1', { TMUX: 'socket' }, false],
  ['echo off', {}, false],
]
for (const [says, env, lacks] of answers) {
  test(`${env.TMUX === undefined ? 'no tmux' : 'tmux'}: ${says}`, async () => {
    const directory = mkdtempSync(join(tmpdir(), 'tmux-focus-'))
    const program = join(directory, 'tmux')
    const asked = '[ "$*" = "show-options -sv focus-events" ] || exit 2'
    writeFileSync(program, `#!/bin/sh\n${asked}\n${says}\n`)
    chmodSync(program, 0o700)
    try {
      assert.is(await lacksFocus({ ...env, PATH: directory }), lacks)
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
}

test('what is said fits into eighty columns', () => assert.ok(focusHint.length < 80))

test('a tmux that is not there says nothing', async () => {
  assert.is(await lacksFocus({ TMUX: 'socket', PATH: '/nonexistent' }), false)
})

test.run()
