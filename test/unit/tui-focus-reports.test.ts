// Whether anything tells of the focus; of tmux by a program of that name that answers.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { lacksFocus } from '../../src/tui/focus-reports.ts'

const answers: [says: string, env: NodeJS.ProcessEnv, lacks: boolean][] = [
  ['echo off', { TMUX: 'socket' }, true],
  ['echo on', { TMUX: 'socket' }, false],
  ['echo no server >&2; exit 1', { TMUX: 'socket' }, false],
  ['echo off', {}, false],
  ['echo on', { STY: 'screen' }, true],
  ['echo on', { TERM: 'linux' }, true],
  ['echo off', { TERM: 'xterm-256color' }, false],
]
for (const [says, env, lacks] of answers) {
  test(`${JSON.stringify(env)}, and a tmux that would ${says}`, async () => {
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

test('a tmux that is not there says nothing', async () => {
  assert.is(await lacksFocus({ TMUX: 'socket', PATH: '/nonexistent' }), false)
})

test.run()
