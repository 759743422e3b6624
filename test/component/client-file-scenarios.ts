// Attachments through the whole client, on a fake gateway and blobs in memory: what is sent arrives, whatever breaks meanwhile, and
// what cannot be sent is refused with its reason before the message leaves.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { Downloads } from '../../src/client/downloads.ts'
import type { LocalChat } from '../../src/client/local-chat.ts'
import { systemRandom } from '../../src/platform/system.ts'
import { ranges } from '../../src/client/keys.ts'
import { decodeEntry, encodeEntry } from '../../src/client/outbox-entry.ts'
import { decodeContent, encodeContent } from '../../src/protocol/content.ts'
import { BLOB_CHUNK_BYTES, encryptedSize } from '../../src/protocol/blob.ts'
import { ChatError, type ErrorCode } from '../../src/protocol/errors.ts'
import type { MessageHeader } from '../../src/protocol/records.ts'
import { eventually } from '../eventually.ts'
import { makeId, type Scenario } from './client-scenarios.ts'
import { MemoryFiles } from './client-blobs-world.ts'
import { ClientWorld, DyingDatabase, fastClock, KeptDatabase, type Person } from './client-world.ts'

const SIZE = 3 * BLOB_CHUNK_BYTES + 1_234
const PATH = '/home/alice/picture.png'
/** By the fast clock: a minute and a half. */
const TIMEOUT_MS = 450_000

interface Scene {
  world: ClientWorld
  alice: Person
  database: KeptDatabase
  files: MemoryFiles
  bytes: Buffer
  a: LocalChat
  b: LocalChat
}
/** Alice with a file, Bob, and a clock on which waits are short. */
const scene =
  (run: (scene: Scene) => Promise<void>): Scenario =>
  async () => {
    const world = new ClientWorld({ gateways: ['gw-1', 'gw-2'], clock: fastClock(5) })
    try {
      const [alice, bob] = [world.enrol('alice'), world.enrol('bob')]
      const [database, files] = [new KeptDatabase(), new MemoryFiles()]
      const bytes = Buffer.from(systemRandom.bytes(SIZE))
      files.write(PATH, bytes)
      const a = await world.open(alice, database, world.dial, files)
      const b = await world.open(bob)
      await a.caughtUp({ timeoutMs: TIMEOUT_MS })
      await run({ world, alice, database, files, bytes, a, b })
    } finally {
      await world.close()
    }
  }

const send = (chat: LocalChat, text = 'look', files = [PATH]) =>
  chat.send('bob', text, { files, timeoutMs: TIMEOUT_MS })
const codeOf = async (promise: Promise<unknown>): Promise<ErrorCode | undefined> =>
  promise.then(
    () => undefined,
    (error: unknown) => (error instanceof ChatError ? error.code : undefined),
  )
const downloadsOf = (world: ClientWorld, chat: LocalChat): Downloads =>
  new Downloads({
    clock: world.clock,
    random: systemRandom,
    blobs: world.blobs,
    access: () => chat.blobAccess(),
    attachments: (id) => chat.attachments(id),
  })
const read = async (downloads: Downloads, id: string): Promise<Buffer> => {
  const parts: Uint8Array[] = []
  for await (const bytes of downloads.read(id, 0)) parts.push(bytes)
  return Buffer.concat(parts)
}
/** What Bob gets is what Alice has. */
const arrives = async ({ world, b, bytes }: Scene, id: string): Promise<void> => {
  await eventually(async () => (await b.history('alice')).some((message) => message.id === id))
  assert.ok((await read(downloadsOf(world, b), id)).equals(bytes))
}
const headersPut = ({ world }: Scene): MessageHeader[] =>
  world.puts.flatMap(({ header }) => (header.k === 'msg' ? [header] : []))

const inDirectory = async (run: (directory: string) => Promise<void>): Promise<void> => {
  const directory = mkdtempSync(join(tmpdir(), 'chat-get-'))
  try {
    await run(directory)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

export const fileScenarios = {
  'a file arrives with its message, which leaves after it': scene(async (all) => {
    const { world, a, b, bytes } = all
    world.onPut = (header) => {
      if (header.k === 'msg')
        for (const [id] of header.blobs ?? []) assert.ok(world.blobs.isWhole(id), 'left too early')
      return undefined
    }
    const { id } = await send(a)
    await arrives(all, id)
    const [shown] = await b.history('alice')
    const [attachment] = shown?.attachments ?? []
    assert.equal([shown?.text, attachment?.name, attachment?.size], ['look', 'picture.png', SIZE])
    assert.is(attachment?.sha256, createHash('sha256').update(bytes).digest('hex'))
    assert.is(attachment?.type, 'image/png')
    const [header] = headersPut(all)
    assert.equal(header?.blobs, [[attachment?.id ?? '', encryptedSize(SIZE)]])
    assert.equal(await a.transfers(), [])
  }),

  'a message that waits without a gateway says which files are its own': scene(async ({ world, files }) => {
    const nowhere = (): Promise<never> => Promise.reject(new ChatError('NET_UNAVAILABLE'))
    const alone = await world.open(world.enrol('alice'), new KeptDatabase(), nowhere, files)
    await alone.send('bob', '', { files: [PATH], wait: 'queued', timeoutMs: TIMEOUT_MS })
    const [waiting] = await alone.history('bob')
    assert.is(waiting?.status, 'queued')
    assert.equal(waiting?.attachments, [{ id: '', name: 'picture.png', size: SIZE, type: 'image/png', sha256: '' }])
    assert.equal((await alone.inbox())[0]?.last?.attachments, waiting?.attachments)
  }),

  'several files, empty ones, and no text': scene(async (all) => {
    const { world, a, b, files } = all
    files.write('/empty', Buffer.alloc(0))
    const { id } = await send(a, '', [PATH, '/empty', PATH])
    await eventually(async () => (await b.history('alice')).length === 1)
    const attachments = await b.attachments(id)
    assert.equal(
      attachments.map(({ name, size }) => [name, size]),
      [
        ['picture.png', SIZE],
        ['empty', 0],
        ['picture.png', SIZE],
      ],
    )
    // The same file twice is two blobs under two keys.
    assert.is(new Set(attachments.map((each) => each.id)).size, 3)
    assert.is(world.blobs.held.size, 3)
    // The files are what it says: a text that came with them may go.
    const { id: captioned } = await send(a)
    await a.edit(captioned, '')
  }),

  'an upload goes on where the cluster has it, cut at every stage': scene(async (all) => {
    const { world, a } = all
    // In the middle of a chunk, at its end, before the first byte, after the last; and some bytes were never confirmed.
    const cuts = [1, BLOB_CHUNK_BYTES, 0, 40_000, BLOB_CHUNK_BYTES + 16]
    world.blobs.unconfirmed = 7
    world.blobs.cutAfter = () => cuts.shift()
    const { id } = await send(a)
    await arrives(all, id)
    const offsets = world.blobs.uploads.map(({ offset }) => offset)
    assert.is(offsets.length, 6)
    assert.equal(
      offsets,
      [...offsets].sort((x, y) => x - y),
    )
    assert.ok((offsets.at(-1) ?? 0) > BLOB_CHUNK_BYTES)
  }),

  'an upload goes on with another session after its gateway is lost': scene(async (all) => {
    const { world, a } = all
    let cuts = 1
    world.blobs.cutAfter = () => (cuts-- > 0 ? 100_000 : undefined)
    world.blobs.onCut = () => world.cut()
    const { id } = await send(a)
    await arrives(all, id)
    const [first, ...later] = world.blobs.uploads
    const last = later.at(-1)
    assert.ok(last && last.offset > 0 && last.token !== first?.token)
  }),

  'an upload goes on in the next process': scene(async (all) => {
    const { world, alice, database, files, a } = all
    let cuts = 1
    const stopped = Promise.withResolvers<void>()
    world.blobs.cutAfter = () => (cuts-- > 0 ? 100_000 : 0)
    world.blobs.onCut = () => stopped.resolve()
    const sending = codeOf(send(a))
    await stopped.promise
    await a.close()
    assert.is(await sending, 'NET_CLOSED')
    assert.is(headersPut(all).length, 0)
    world.blobs.cutAfter = () => undefined
    const again = await world.open(alice, database, world.dial, files)
    await again.settled({ timeoutMs: TIMEOUT_MS })
    const [message] = await again.history('bob')
    assert.is(message?.status === 'stored' || message?.status === 'received', true)
    await arrives(all, message?.id ?? '')
    assert.is(world.blobs.held.size, 1)
    assert.ok((world.blobs.uploads.at(-1)?.offset ?? 0) > 0)
  }),

  'a process that dies when its upload was just done has the file in the message it sends next': async () => {
    const world = new ClientWorld({ gateways: ['gw-1'], clock: fastClock(5) })
    const dying = new DyingDatabase((writes) =>
      writes.some(({ value }) => value && Buffer.from(value).includes('"isStored":true')),
    )
    try {
      const [alice, bob] = [world.enrol('alice'), world.enrol('bob')]
      const [files, bytes] = [new MemoryFiles(), Buffer.from(systemRandom.bytes(SIZE))]
      files.write(PATH, bytes)
      const a = await world.open(alice, dying, world.dial, files)
      const b = await world.open(bob)
      send(a).catch(() => {}) // it never hears of it
      await dying.died
      world.cut()
      const left = await dying.copy()
      // A batch may end between the two: the file is known to be there, and the text does not name it yet.
      for (const [key, value] of await left.range(ranges.outbox())) {
        const { attachments: _named, ...content } = decodeContent(decodeEntry(value).bytes)
        left.apply([{ key, value: encodeEntry({ ...decodeEntry(value), bytes: encodeContent(content) }) }])
      }
      const again = await world.open(alice, left, world.dial, files)
      await again.settled({ timeoutMs: TIMEOUT_MS })
      const [message] = await again.history('bob')
      await eventually(async () => (await b.history('alice')).some(({ id }) => id === message?.id))
      assert.ok((await read(downloadsOf(world, b), message?.id ?? '')).equals(bytes))
    } finally {
      dying.bury()
      await world.close()
    }
  },

  'what is written after a file comes after it': scene(async (all) => {
    const { world, a, b } = all
    const gate = Promise.withResolvers<void>()
    const put = world.blobs.put.bind(world.blobs)
    world.blobs.put = async (...args) => {
      await gate.promise
      return put(...args)
    }
    const sending = send(a, 'first')
    const draft = await eventually(async () => (await a.history('bob'))[0])
    assert.equal([draft?.status, draft?.text], ['queued', 'first'])
    const second = a.send('bob', 'second', { timeoutMs: TIMEOUT_MS })
    const transfer = await eventually(async () => (await a.transfers()).find(({ isPrepared }) => isPrepared))
    assert.equal([transfer?.name, transfer?.size, transfer?.sent], ['picture.png', SIZE, 0])
    const [prepared] = (await a.history('bob'))[0]?.attachments ?? []
    assert.is(prepared?.sha256, createHash('sha256').update(all.bytes).digest('hex'))
    // Other conversations do not wait.
    await a.send('alice', 'to myself', { timeoutMs: TIMEOUT_MS })
    gate.resolve()
    await Promise.all([sending, second])
    await eventually(async () => (await b.history('alice')).length === 2)
    assert.equal(
      (await b.history('alice')).map(({ text }) => text),
      ['first', 'second'],
    )
  }),

  'what cannot be sent is said at once, and leaves nothing behind': scene(async ({ world, a, files }) => {
    assert.is(await codeOf(send(a, 'x', ['/nowhere'])), 'FILE_UNKNOWN')
    world.maxBlobBytes = encryptedSize(SIZE) - 1
    world.cut() // the next session is told the limit
    const refused: unknown = await send(a).catch((error: unknown) => error)
    assert.match(String(refused), `has ${SIZE} bytes, and this cluster takes ${SIZE - 1} bytes`)
    assert.ok(refused instanceof ChatError && refused.code === 'BLOB_TOO_LARGE')
    files.write('/small', Buffer.alloc(10))
    const seventeen = Array.from({ length: 17 }, () => '/small')
    assert.is(await codeOf(send(a, 'x', seventeen)), 'USAGE')
    assert.is(world.blobs.uploads.length, 0)
  }),

  'a file that is removed or changed before it is sent is refused, and what follows is sent': scene(async (all) => {
    const { world, files, a, b } = all
    const changes: [code: ErrorCode, change: () => void][] = [
      ['FILE_UNKNOWN', () => files.remove(PATH)],
      ['FILE_CHANGED', () => files.write(PATH, Buffer.alloc(SIZE))],
      ['FILE_CHANGED', () => files.write(PATH, Buffer.alloc(SIZE + 1))],
      // Even when nothing but the bytes tells.
      ['FILE_CHANGED', () => files.swap(PATH, Buffer.alloc(SIZE))],
    ]
    for (const [code, change] of changes) {
      files.write(PATH, systemRandom.bytes(SIZE))
      let cuts = 1
      world.blobs.cutAfter = () => {
        if (cuts-- <= 0) return undefined
        change()
        return 0
      }
      assert.is(await codeOf(send(a, code)), code)
      const last = (await a.history('bob')).at(-1)
      assert.equal([last?.text, last?.status], [code, 'refused'])
    }
    await a.send('bob', 'still here', { timeoutMs: TIMEOUT_MS })
    await eventually(async () => (await b.history('alice')).length === 1)
    assert.equal(
      headersPut(all).map(({ blobs }) => blobs),
      [undefined],
    )
    // Not one byte under a key that had encrypted another: nothing whole, nothing of the changed file.
    assert.ok([...world.blobs.held.values()].every(({ bytes, isWhole }) => !isWhole && bytes.length === 0))
  }),

  'a quota ends it, a full store does not, damage on the way is tried again': scene(async (all) => {
    const { world, a } = all
    world.blobs.refuse = () => new ChatError('BLOB_QUOTA')
    assert.is(await codeOf(send(a)), 'BLOB_QUOTA')
    const answers = [new ChatError('BLOB_FULL'), new ChatError('AUTH_REQUIRED'), new ChatError('BLOB_HASH')]
    world.blobs.refuse = () => answers.shift()
    await arrives(all, (await send(a)).id)
    assert.is(answers.length, 0)
    world.blobs.refuse = () => new ChatError('BLOB_HASH')
    assert.is(await codeOf(send(a)), 'BLOB_HASH')
  }),

  'what waits behind a file that finds no room says so': scene(async ({ world, a }) => {
    world.blobs.refuse = () => new ChatError('BLOB_FULL')
    const text = async (): Promise<string> => {
      const error: unknown = await a.send('bob', 'after it', { timeoutMs: 5_000 }).catch((cause: unknown) => cause)
      return String(error)
    }
    await a.send('bob', 'look', { files: [PATH], timeoutMs: 10_000 }).catch(() => {})
    assert.match(await text(), /an earlier message waits: The stores of attachments are full/)
  }),

  'blobs that the cluster lost before the message left are sent again, once': scene(async (all) => {
    const { world, a } = all
    let losses = 1
    world.onPut = (header) => {
      if (header.k === 'msg' && losses-- > 0) world.blobs.lose()
      return undefined
    }
    const { id } = await send(a)
    await arrives(all, id)
    assert.is(world.blobs.uploads.length, 2)
    assert.is(new Set(headersPut(all).map((header) => header.id)).size, 1)
  }),

  'a forwarded attachment refers to the same blob': scene(async (all) => {
    const { world, a, b, bytes } = all
    const carol = await world.open(world.enrol('carol'))
    const { id } = await send(a)
    await arrives(all, id)
    const forwarded = await b.forward(id, 'carol', { timeoutMs: TIMEOUT_MS })
    await eventually(async () => (await carol.history('bob')).length === 1)
    assert.is((await carol.history('bob'))[0]?.text, 'look')
    assert.ok((await read(downloadsOf(world, carol), forwarded.id)).equals(bytes))
    assert.is(world.blobs.uploads.length, 1)
    world.blobs.lose()
    assert.is(await codeOf(b.forward(id, 'carol', { timeoutMs: TIMEOUT_MS })), 'BLOB_UNKNOWN')
    assert.is(await codeOf(b.forward('01934c5e-7a2b-7c3d-8e4f-5a6b7c8d9e0f', 'carol')), 'MESSAGE_UNKNOWN')
  }),

  'a file for a group is one blob, whoever fetches it': scene(async (all) => {
    const { world, a, b, bytes } = all
    const carol = await world.open(world.enrol('carol'))
    await a.group.create('#ops', ['bob', 'carol'])
    const { id } = await a.send('#ops', 'for all', { files: [PATH], timeoutMs: TIMEOUT_MS })
    for (const member of [b, carol]) {
      await eventually(async () => (await member.history('#ops')).some((message) => message.id === id))
      assert.ok((await read(downloadsOf(world, member), id)).equals(bytes))
    }
    assert.is(world.blobs.held.size, 1)
  }),

  'a message can be changed, or taken back, while its file is on its way': scene(async (all) => {
    const { world, a, b } = all
    const held = Promise.withResolvers<void>()
    const put = world.blobs.put.bind(world.blobs)
    let underWay = 0
    world.blobs.put = async (access, upload, signal) => {
      underWay += 1
      await held.promise
      signal.throwIfAborted()
      return put(access, upload, signal)
    }
    const ids = ['kept', 'dropped'].map(() => makeId())
    const [kept = '', dropped = ''] = ids
    const sending = a.send('bob', 'kept', { id: kept, files: [PATH], timeoutMs: TIMEOUT_MS })
    // Of a message that was taken back nobody hears any more.
    void a.send('alice', 'dropped', { id: dropped, files: [PATH], timeoutMs: TIMEOUT_MS }).catch(() => {})
    await eventually(() => underWay === 2)
    void a.edit(kept, 'changed', { timeoutMs: TIMEOUT_MS })
    await a.delete(dropped, { timeoutMs: TIMEOUT_MS })
    assert.equal(
      (await a.transfers()).map(({ message }) => message),
      [kept],
    )
    held.resolve()
    await sending
    await arrives(all, kept)
    assert.is((await b.history('alice')).at(-1)?.text, 'changed')
    assert.is(world.blobs.uploads.length, 1)
    assert.equal(
      headersPut(all).map((header) => header.id),
      [kept],
    )
  }),

  'a message that is taken back while its file is read does not come back': scene(async (all) => {
    const { world, alice, database, files, a } = all
    const [reading, read] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    files.preview = async () => {
      reading.resolve()
      await read.promise
      return undefined
    }
    const id = makeId()
    void a.send('bob', 'dropped', { id, files: [PATH], timeoutMs: TIMEOUT_MS }).catch(() => {})
    await reading.promise
    await a.delete(id, { timeoutMs: TIMEOUT_MS })
    read.resolve()
    await new Promise((resolve) => setTimeout(resolve, 20)) // the reading ends, and changes nothing
    await a.close()
    const again = await world.open(alice, database, world.dial, files)
    await again.send('bob', 'next', { timeoutMs: TIMEOUT_MS })
    assert.equal(
      headersPut(all).map((header) => header.id === id),
      [false],
    )
    assert.is(world.blobs.held.size, 0)
  }),

  'a deletion names the attachments that may go; who is just fetching one hears that its message is deleted': scene(
    async (all) => {
      const { world, a, b } = all
      const { id } = await send(a)
      const other = await send(a, 'another')
      await arrives(all, id)
      await arrives(all, other.id)
      const cuts = [70_000]
      const cut = Promise.withResolvers<void>()
      world.blobs.cutAfter = () => {
        if (cuts.length === 0) return undefined
        cut.resolve()
        return cuts.shift()
      }
      const reading = codeOf(read(downloadsOf(world, b), id))
      await cut.promise
      world.blobs.lose()
      await a.delete(id, { timeoutMs: TIMEOUT_MS })
      await eventually(async () => (await b.history('alice')).some((line) => line.id === id && line.deleted))
      assert.is(await codeOf(read(downloadsOf(world, b), id)), 'MESSAGE_UNKNOWN')
      const code = await reading
      assert.ok(code === 'MESSAGE_UNKNOWN' || code === 'BLOB_UNKNOWN', code) // by which of the two it heard first
      assert.is(await codeOf(read(downloadsOf(world, b), other.id)), 'BLOB_UNKNOWN')
      const named = headersPut(all).find((header) => header.id === id)?.blobs
      // Of what others wrote nothing goes but one's own copy.
      await b.delete(other.id, { timeoutMs: TIMEOUT_MS })
      const tombstones = world.puts.flatMap(({ header }) => (header.k === 'tomb' ? [header] : []))
      assert.equal(
        tombstones.map(({ from, to, blobs }) => [from, to, blobs]),
        [
          ['alice', 'bob', named],
          ['bob', 'bob', undefined],
        ],
      )
    },
  ),

  'a download goes on where it stopped, chunk by chunk': scene((all) =>
    inDirectory(async (directory) => {
      const { world, a, b, bytes } = all
      const { id } = await send(a)
      await arrives(all, id)
      world.blobs.fetches.length = 0
      const cuts = [1, 90_000, 0, 70_000]
      world.blobs.cutAfter = () => cuts.shift()
      const received: number[] = []
      const onProgress = (progress: { received: number }): void => void received.push(progress.received)
      const [file] = await downloadsOf(world, b).fetch(id, { directory, onProgress })
      assert.ok(readFileSync(file?.path ?? '').equals(bytes))
      assert.is(file?.sha256, createHash('sha256').update(bytes).digest('hex'))
      const chunk = encryptedSize(BLOB_CHUNK_BYTES)
      assert.equal(
        world.blobs.fetches.map(({ from }) => from / chunk),
        [0, 0, 1, 1, 2],
      )
      assert.is(received.at(-1), SIZE)
      assert.equal(readdirSync(directory), ['picture.png'])
    }),
  ),

  'a download that was interrupted goes on in the next process, and what is on disk is verified': scene((all) =>
    inDirectory(async (directory) => {
      const { world, a, b, bytes } = all
      const { id } = await send(a)
      await arrives(all, id)
      const [attachment] = await b.attachments(id)
      const part = join(directory, `.${attachment?.id}.part`)
      const stop = new AbortController()
      const onProgress = ({ received }: { received: number }): void => {
        if (received >= 2 * BLOB_CHUNK_BYTES) stop.abort()
      }
      world.blobs.cutAfter = () => 150_000
      const gone = await downloadsOf(world, b)
        .fetch(id, { directory, signal: stop.signal, onProgress })
        .catch((error: unknown) => error)
      assert.instance(gone, Error)
      assert.ok(existsSync(part))
      world.blobs.cutAfter = () => undefined
      world.blobs.fetches.length = 0
      const [file] = await downloadsOf(world, b).fetch(id, { directory })
      assert.ok(readFileSync(file?.path ?? '').equals(bytes))
      assert.ok((world.blobs.fetches[0]?.from ?? 0) > 0)
      // Somebody wrote into the part meanwhile: it is fetched anew, and the first file stays.
      writeFileSync(part, Buffer.alloc(SIZE), { mode: 0o600 })
      const [second] = await downloadsOf(world, b).fetch(id, { directory })
      assert.is(second?.path, join(directory, 'picture (1).png'))
      assert.ok(readFileSync(second?.path ?? '').equals(bytes))
      // Of several parts none is what it should be, as after a power cut.
      const { pid: dead } = spawnSync(process.execPath, ['--version'])
      const parts = ['0a', '0b', '0c'].map((left) => join(directory, `.${attachment?.id}.${dead}-${left}.part`))
      for (const each of parts) writeFileSync(each, Buffer.alloc(SIZE), { mode: 0o600 })
      const [third] = await downloadsOf(world, b).fetch(id, { directory })
      assert.ok(readFileSync(third?.path ?? '').equals(bytes))
      assert.equal(readdirSync(directory).sort(), ['picture (1).png', 'picture (2).png', 'picture.png'])
    }),
  ),

  'a damaged chunk is fetched again, and never shown when it stays so': scene((all) =>
    inDirectory(async (directory) => {
      const { world, a, b, bytes } = all
      const { id } = await send(a)
      await arrives(all, id)
      let damages = 1
      const flip = (part: Buffer): Buffer => {
        part.writeUInt8(part.readUInt8(0) ^ 1, 0)
        return part
      }
      world.blobs.damage = (part, at) => (at > 100_000 && damages-- > 0 ? flip(part) : part)
      assert.ok((await read(downloadsOf(world, b), id)).equals(bytes))
      world.blobs.damage = (part, at) => (at > 100_000 ? flip(part) : part)
      assert.is(await codeOf(downloadsOf(world, b).fetch(id, { directory })), 'BLOB_HASH')
      assert.ok(readdirSync(directory).every((name) => name.endsWith('.part')))
    }),
  ),

  'what there is not says so, and leaves no file': scene((all) =>
    inDirectory(async (directory) => {
      const { world, a, b } = all
      const { id } = await send(a)
      await arrives(all, id)
      const downloads = downloadsOf(world, b)
      assert.is(await codeOf(downloads.fetch(id, { directory, name: 'other.png' })), 'FILE_UNKNOWN')
      assert.is(await codeOf(downloads.fetch('01934c5e-7a2b-7c3d-8e4f-5a6b7c8d9e0f', { directory })), 'MESSAGE_UNKNOWN')
      world.blobs.lose()
      assert.is(await codeOf(downloads.fetch(id, { directory })), 'BLOB_UNKNOWN')
      assert.equal(readdirSync(directory), [])
    }),
  ),
}
