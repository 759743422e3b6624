// Files sent by processes that share a profile: whichever owns it reads the file and uploads it, and when it goes, another goes on.
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { localFiles } from '../../src/client/local-files.ts'
import { SharedChat } from '../../src/client/shared-chat.ts'
import { systemRandom } from '../../src/platform/system.ts'
import { BLOB_CHUNK_BYTES } from '../../src/protocol/blob.ts'
import { eventually } from '../eventually.ts'
import { makeId } from './client-scenarios.ts'
import { ClientWorld, KeptDatabase, type Person } from './client-world.ts'

const WAIT_MS = 60_000
interface Context {
  world: ClientWorld
  directory: string
  file: string
  bytes: Buffer
  /** The owner, and another process of Alice's profile. */
  owner: SharedChat
  other: SharedChat
  bob: SharedChat
}
const test = suite<Context>('files of shared profiles')

/** Every call is another process of the profile. */
const profileOf = (world: ClientWorld, person: Person, directory: string): (() => Promise<SharedChat>) => {
  const database = new KeptDatabase()
  let isOwned = false
  return async () => {
    const chat = new SharedChat({
      user: person.user,
      device: person.device,
      cluster: world.cluster,
      socketPath: join(directory, `${person.user}.socket`),
      openDatabase: async () => {
        if (isOwned) return undefined
        isOwned = true
        return database
      },
      openChat: async (held) => {
        const local = await world.open(person, held, world.dial, localFiles)
        const close = local.close.bind(local)
        local.close = async () => {
          await close()
          isOwned = false
        }
        return local
      },
      makeId,
      blobs: world.blobs,
    })
    await chat.open()
    return chat
  }
}

test.before.each(async (context) => {
  const world = new ClientWorld()
  const directory = mkdtempSync(join(tmpdir(), 'chat-shared-'))
  const bytes = Buffer.from(systemRandom.bytes(3 * BLOB_CHUNK_BYTES))
  const file = join(directory, 'data.csv')
  writeFileSync(file, bytes)
  const alice = profileOf(world, world.enrol('alice'), directory)
  const [owner, other] = [await alice(), await alice()]
  const bob = await profileOf(world, world.enrol('bob'), directory)()
  Object.assign(context, { world, directory, file, bytes, owner, other, bob })
})
test.after.each(async ({ world, owner, other, bob, directory }) => {
  for (const chat of [owner, other, bob]) await chat.close()
  await world.close()
  rmSync(directory, { recursive: true })
})

const arrives = async ({ bob, bytes, directory }: Context, id: string): Promise<void> => {
  await eventually(async () => (await bob.attachments(id)).length === 1, { timeoutMs: WAIT_MS })
  const [fetched] = await bob.fetchAttachments(id, { directory: join(directory, 'out') })
  assert.ok(readFileSync(fetched?.path ?? '').equals(bytes))
  assert.is(fetched?.sha256, createHash('sha256').update(bytes).digest('hex'))
}

test('a path is that of the process that sends, whoever reads the file', async (context) => {
  const { owner, other, file } = context
  assert.equal([owner.isOwner, other.isOwner], [true, false])
  const { id } = await other.send('bob', 'here', { files: [relative(process.cwd(), file)], timeoutMs: WAIT_MS })
  await arrives(context, id)
  const parts: Uint8Array[] = []
  for await (const bytes of other.readAttachment(id, 0)) parts.push(bytes)
  assert.ok(Buffer.concat(parts).equals(context.bytes))
})

test('when the owner goes in the middle of an upload, the one that sends goes on', async (context) => {
  const { world, owner, other, file } = context
  let cuts = 1
  const isCut = Promise.withResolvers<void>()
  world.blobs.cutAfter = () => (cuts-- > 0 ? BLOB_CHUNK_BYTES : 0)
  world.blobs.onCut = () => isCut.resolve()
  const sending = other.send('bob', 'here', { files: [file] })
  await isCut.promise
  world.blobs.cutAfter = () => undefined
  await owner.close()
  const { id, status } = await sending
  assert.ok(other.isOwner)
  assert.ok(status === 'stored' || status === 'received')
  await arrives(context, id)
  assert.is(world.blobs.held.size, 1)
})

test.run()
