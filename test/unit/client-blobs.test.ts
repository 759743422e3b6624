// Attachments on the client's side as far as they need no network: the encryption, and names and files of what is fetched.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { BlobCipher, piecesOf, sealedRange } from '../../src/client/blob-cipher.ts'
import { PartFile } from '../../src/client/download-directory.ts'
import { numberedFileName, safeFileName } from '../../src/client/safe-file-name.ts'
import { systemRandom } from '../../src/platform/system.ts'
import { BLOB_CHUNK_BYTES, BLOB_KEY_BYTES, chunkCount, encryptedSize } from '../../src/protocol/blob.ts'
import { ChatError, hasCode } from '../../src/protocol/errors.ts'

const cipher = suite('blob cipher')

const sealAll = (key: Uint8Array, plain: Uint8Array): Buffer => {
  const each = new BlobCipher(key, plain.length)
  const chunks = Array.from({ length: chunkCount(plain.length) }, (_, index) =>
    each.seal(index, plain.subarray(index * BLOB_CHUNK_BYTES, (index + 1) * BLOB_CHUNK_BYTES)),
  )
  return Buffer.concat(chunks)
}
/** Opens as a reader does who was told that the file has `size` bytes. */
const openAll = (key: Uint8Array, blob: Uint8Array, size: number): Buffer => {
  const each = new BlobCipher(key, size)
  const chunks = Array.from({ length: chunkCount(size) }, (_, index) => {
    const { from, to } = sealedRange(index, size)
    return each.open(index, blob.subarray(from, to))
  })
  return Buffer.concat(chunks)
}
const isDamaged = (open: () => unknown): void => {
  try {
    open()
  } catch (error) {
    return assert.ok(hasCode(error, 'BLOB_HASH'), String(error))
  }
  assert.unreachable('it was opened')
}
const key = systemRandom.bytes(BLOB_KEY_BYTES)
const SIZES = [0, 1, BLOB_CHUNK_BYTES - 1, BLOB_CHUNK_BYTES, BLOB_CHUNK_BYTES + 1, 3 * BLOB_CHUNK_BYTES, 200_001]

cipher('what is sealed opens again, any chunk alone', () => {
  for (const size of SIZES) {
    const plain = Buffer.from(systemRandom.bytes(size))
    const blob = sealAll(key, plain)
    assert.is(blob.length, encryptedSize(size))
    assert.ok(openAll(key, blob, size).equals(plain), `${size}`)
    const last = chunkCount(size) - 1
    const { from, to } = sealedRange(last, size)
    const alone = new BlobCipher(key, size).open(last, blob.subarray(from, to))
    assert.ok(alone.equals(plain.subarray(last * BLOB_CHUNK_BYTES)))
  }
})

cipher('a known file has known bytes: those that WebCrypto makes of it', () => {
  const blob = sealAll(Buffer.alloc(BLOB_KEY_BYTES, 7), Buffer.from('hello'))
  assert.is(blob.toString('hex'), 'e785d2ea85aabc7af8aa8719a9f0d446aaec965008')
})

cipher('one flipped bit anywhere, another key or another place is noticed', () => {
  const plain = systemRandom.bytes(2 * BLOB_CHUNK_BYTES + 5)
  const blob = sealAll(key, plain)
  fc.assert(
    fc.property(fc.nat({ max: blob.length * 8 - 1 }), (bit) => {
      const copy = Buffer.from(blob)
      copy.writeUInt8(copy.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
      isDamaged(() => openAll(key, copy, plain.length))
    }),
    { numRuns: 50 },
  )
  isDamaged(() => openAll(systemRandom.bytes(BLOB_KEY_BYTES), blob, plain.length))
})

cipher('truncation, extension and reordering are noticed', () => {
  const size = 3 * BLOB_CHUNK_BYTES
  const blob = sealAll(key, systemRandom.bytes(size))
  const part = (index: number): Buffer => {
    const { from, to } = sealedRange(index, size)
    return blob.subarray(from, to)
  }
  isDamaged(() => openAll(key, Buffer.concat([part(1), part(0), part(2)]), size))
  isDamaged(() => openAll(key, Buffer.concat([part(0), part(0), part(2)]), size))
  // A shorter file made of the first chunks, a longer one made of them and more.
  isDamaged(() => openAll(key, Buffer.concat([part(0), part(1)]), 2 * BLOB_CHUNK_BYTES))
  isDamaged(() => openAll(key, Buffer.concat([blob, part(2)]), size + BLOB_CHUNK_BYTES))
  isDamaged(() => openAll(key, blob.subarray(0, blob.length - 1), size))
  isDamaged(() => new BlobCipher(key, size).open(2, Buffer.alloc(3)))
})

cipher('a stream is cut in whole pieces, whatever it comes in', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ maxLength: 40 })),
      fc.integer({ min: 1, max: 30 }),
      async (list, size) => {
        const stream = async function* () {
          yield* list
        }
        const pieces: Uint8Array[] = []
        for await (const piece of piecesOf(stream(), size)) pieces.push(piece)
        assert.equal([...Buffer.concat(pieces)], [...Buffer.concat(list)])
        assert.ok(
          pieces.every(({ length }, i) => (i < pieces.length - 1 ? length === size : length > 0 && length <= size)),
        )
      },
    ),
  )
})
cipher.run()

const names = suite('names of files')

names('are what the sender meant, without what could hurt', () => {
  const rows: [sent: string, safe: string][] = [
    ['report.pdf', 'report.pdf'],
    ['Grüße aus Köln.jpeg', 'Grüße aus Köln.jpeg'],
    ['日本語.txt', '日本語.txt'],
    ['../../etc/passwd', 'passwd'],
    ['..\\..\\boot.ini', 'boot.ini'],
    ['C:\\Users\\x\\a.txt', 'a.txt'],
    ['/etc/', 'file'],
    ['', 'file'],
    ['.', 'file'],
    ['..', 'file'],
    ['...', 'file'],
    ['.bashrc', 'bashrc'],
    ['-rf', 'rf'],
    ['--help.txt', 'help.txt'],
    ['\u0000-x', 'x'],
    ['a\u0000b\nc\u001b[2J.txt', 'abc[2J.txt'],
    ['gpj.\u202etxe.exe', 'gpj.txe.exe'],
    ['con', '_con'],
    ['NUL.txt', '_NUL.txt'],
    ['com1.tar.gz', '_com1.tar.gz'],
    ['console.log', 'console.log'],
    ['a<b>:c|d?.txt', 'a_b__c_d_.txt'],
    ['trailing. . ', 'trailing'],
    ['a\u00a0b.txt', 'a b.txt'],
    ['\ud800.txt', 'txt'],
  ]
  for (const [sent, safe] of rows) assert.is(safeFileName(sent), safe, JSON.stringify(sent))
})

names('keep their extension when they are cut or numbered', () => {
  const long = safeFileName(`${'é'.repeat(300)}.jpeg`)
  assert.ok(Buffer.byteLength(long) <= 120)
  assert.match(long, /^é+\.jpeg$/)
  assert.is(numberedFileName('a.txt', 3), 'a (3).txt')
  assert.is(numberedFileName('noext', 1), 'noext (1)')
  const numbered = numberedFileName(long, 12)
  assert.ok(Buffer.byteLength(numbered) <= 120)
  assert.match(numbered, /^é+ \(12\)\.jpeg$/)
})
names.run()

const files = suite('files of what is fetched')
const ID = 'ab'.repeat(32)
const OTHER_ID = 'cd'.repeat(32)
const RUNS = 10_000

const inDirectory = async (run: (directory: string) => Promise<void>): Promise<void> => {
  const sandbox = mkdtempSync(join(tmpdir(), 'chat-files-'))
  const directory = join(sandbox, 'a', 'b', 'downloads')
  mkdirSync(directory, { recursive: true })
  try {
    await run(directory)
  } finally {
    rmSync(sandbox, { recursive: true })
  }
}
const fetched = async (directory: string, name: string, text = ''): Promise<string> => {
  const part = await PartFile.open(directory, ID)
  await part.truncate(0)
  await part.append(Buffer.from(text))
  return part.finish(name)
}

const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '../',
        '..\\',
        '/',
        '\\',
        '.',
        '..',
        '-',
        ' ',
        '~',
        'C:',
        '\0',
        '\n',
        '\u202e',
        '\u2028',
        '\u200b',
      ),
      fc.constantFrom('con', 'NUL', 'com1', 'lpt9', 'aux', '.txt', '$(x)', '`x`', '%2e%2e%2f', '\u001b]0;x\u0007', 'é'),
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc.string({ maxLength: 200 }),
    ),
    { maxLength: 8 },
  )
  .map((parts) => parts.join(''))

files(`of ${RUNS} hostile names nothing is written outside the directory`, () =>
  inDirectory(async (directory) => {
    const sandbox = dirname(dirname(dirname(directory)))
    for (const name of fc.sample(hostile, { numRuns: RUNS, seed: 20_261_126 })) {
      const safe = safeFileName(name)
      assert.not.match(safe, /[/\\\p{C}\p{Zl}\p{Zp}]|^[.\- ]|[. ]$/u, JSON.stringify(name))
      assert.ok(Buffer.byteLength(safe) <= 120 && safe.length > 0, JSON.stringify(name))
      const path = join(directory, safe)
      writeFileSync(path, '')
      assert.is(dirname(path), directory)
    }
    assert.equal(
      [readdirSync(sandbox), readdirSync(join(sandbox, 'a')), readdirSync(join(sandbox, 'a', 'b'))],
      [['a'], ['b'], ['downloads']],
    )
    for (const name of fc.sample(hostile, { numRuns: 300, seed: 7 })) {
      assert.is(dirname(await fetched(directory, name)), directory)
    }
    assert.equal(readdirSync(join(sandbox, 'a', 'b')), ['downloads'])
  }),
)

files('are private, whole before they have their name, and replace nothing', () =>
  inDirectory(async (directory) => {
    const first = await fetched(directory, 'a.txt', 'one')
    const second = await fetched(directory, 'a.txt', 'two')
    assert.equal([first, second], [join(directory, 'a.txt'), join(directory, 'a (1).txt')])
    assert.equal([readFileSync(first, 'utf8'), readFileSync(second, 'utf8')], ['one', 'two'])
    assert.is(statSync(first).mode & 0o777, 0o600)
    assert.equal(readdirSync(directory).sort(), ['a (1).txt', 'a.txt'])
  }),
)

files('follow no link, neither for the name nor for the part', () =>
  inDirectory(async (directory) => {
    const outside = join(dirname(directory), 'outside')
    writeFileSync(outside, 'untouched')
    symlinkSync(outside, join(directory, 'a.txt'))
    assert.is(await fetched(directory, 'a.txt', 'mine'), join(directory, 'a (1).txt'))
    symlinkSync(outside, join(directory, `.${ID}.part`))
    const error = await PartFile.open(directory, ID).catch((cause: unknown) => cause)
    assert.ok(error instanceof ChatError && error.code === 'FILE_DENIED', String(error))
    assert.is(readFileSync(outside, 'utf8'), 'untouched')
  }),
)

files('go on where an earlier attempt stopped', () =>
  inDirectory(async (directory) => {
    const part = await PartFile.open(directory, ID)
    await part.append(Buffer.from('half and'))
    await part.close()
    const again = await PartFile.open(directory, ID)
    assert.is(again.size, 8)
    await again.truncate(5)
    await again.append(Buffer.from('whole'))
    const hash = createHash('sha256')
    for await (const bytes of again.read()) hash.update(bytes)
    assert.is(hash.digest('hex'), createHash('sha256').update('half whole').digest('hex'))
    assert.is(readFileSync(await again.finish('x'), 'utf8'), 'half whole')
  }),
)

files('are never written by two attempts, and what a killed process left is gone on with', () =>
  inDirectory(async (directory) => {
    const [first, second] = await Promise.all([PartFile.open(directory, ID), PartFile.open(directory, ID)])
    await first.append(Buffer.from('of the first'))
    await second.append(Buffer.from('the second'))
    await second.truncate(4)
    assert.is(readFileSync(await first.finish('a'), 'utf8'), 'of the first')
    await first.close()
    await second.close()
    // Another process was killed in the middle; one that runs keeps its own.
    const { pid: dead } = spawnSync(process.execPath, ['--version'])
    renameSync(join(directory, `.${ID}.part`), join(directory, `.${ID}.${dead}-0a1b.part`))
    writeFileSync(join(directory, `.${ID}.${process.ppid}-0a1b.part`), 'of a process that runs')
    const next = await PartFile.open(directory, ID)
    assert.is(next.size, 4)
    assert.is(readFileSync(await next.finish('b'), 'utf8'), 'the ')
    await next.close()
    assert.equal(readdirSync(directory).sort(), [`.${ID}.${process.ppid}-0a1b.part`, 'a', 'b'])
  }),
)

files('leave nothing of killed attempts once one is whole', () =>
  inDirectory(async (directory) => {
    const { pid: dead } = spawnSync(process.execPath, ['--version'])
    for (const left of ['0a', '0b', '0c']) writeFileSync(join(directory, `.${ID}.${dead}-${left}.part`), left)
    writeFileSync(join(directory, `.${ID}.part`), 'ended by itself')
    writeFileSync(join(directory, `.${OTHER_ID}.${dead}-0a.part`), 'of another file')
    assert.is(await fetched(directory, 'a', 'whole'), join(directory, 'a'))
    assert.equal(readdirSync(directory).sort(), [`.${OTHER_ID}.${dead}-0a.part`, 'a'])
  }),
)
files.run()
