// How files are named in words: sizes, progress, media types.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { formatSize, progressText } from '../../src/cli/chat/progress.ts'
import { mediaTypeOf } from '../../src/client/media-types.ts'

const words = suite('words for files')

words('sizes', () => {
  const rows: [bytes: number, text: string][] = [
    [0, '0 B'],
    [1_023, '1023 B'],
    [1_024, '1.0 KiB'],
    [1_572_864, '1.5 MiB'],
    [3 * 1024 ** 3, '3.0 GiB'],
    [5_000 * 1024 ** 4, '5000.0 TiB'],
  ]
  for (const [bytes, text] of rows) assert.is(formatSize(bytes), text)
})

words('progress moves no cursor, whatever the file is called', () => {
  assert.is(progressText('a.txt', 512, 1_024), 'a.txt  50% of 1.0 KiB')
  assert.is(progressText('empty', 0, 0), 'empty  100% of 0 B')
  assert.not.match(progressText('\u001b[2Jx\r\n.txt', 1, 2), /\p{Cc}/u)
})

words('media types by extension, and nothing of the prototype', () => {
  const rows: [name: string, type: string][] = [
    ['photo.JPG', 'image/jpeg'],
    ['a.tar.gz', 'application/gzip'],
    ['README', 'application/octet-stream'],
    ['x.constructor', 'application/octet-stream'],
    ['.png', 'application/octet-stream'],
  ]
  for (const [name, type] of rows) assert.is(mediaTypeOf(name), type)
})

words.run()
