// What the system says of a file, as a user reads it.
import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { fileError } from '../../src/platform/file-error.ts'

const errorOf = (path: string): unknown => {
  try {
    return readFileSync(path)
  } catch (error) {
    return error
  }
}

test('the reason is said once, without the words of the system call', () => {
  const missing = join(tmpdir(), 'none, of such', 'a name')
  assert.is(fileError(missing, errorOf(missing)).message, `${missing} cannot be used (no such file or directory)`)
  assert.is(fileError('/x', errorOf(tmpdir())).message, '/x cannot be used (illegal operation on a directory)')
  const renaming = new Error("ENOSPC: no space left on device, rename '/x' -> '/y'")
  assert.is(fileError('/x', renaming).message, '/x cannot be used (no space left on device)')
  assert.is(fileError('/x', new Error('it is odd, as such')).message, '/x cannot be used (it is odd, as such)')
})

test.run()
