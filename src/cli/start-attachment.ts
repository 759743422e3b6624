// The part of the conversation of `npm start` in which a file goes along: it must arrive as it was sent, and be verified.
import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Chat, SendResult } from '../client/api.ts'
import { ChatError } from '../protocol/errors.ts'

/** Several chunks, and a last one that is not whole. */
const FILE_BYTES = 300_000

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** `send` sends these files from one to the other. What was fetched, in words. */
export const playAttachment = async (
  recipient: Chat,
  send: (files: string[]) => Promise<SendResult>,
): Promise<string> => {
  const directory = await mkdtemp(join(tmpdir(), 'chatd-start-'))
  try {
    const bytes = randomBytes(FILE_BYTES)
    const path = join(directory, 'measurements.bin')
    await writeFile(path, bytes)
    const { id } = await send([path])
    const [fetched] = await recipient.fetchAttachments(id, { directory: join(directory, 'fetched') })
    if (!fetched || sha256(await readFile(fetched.path)) !== sha256(bytes)) {
      throw new ChatError('BLOB_HASH', { message: 'The file that arrived is not the one that was sent' })
    }
    return `${recipient.user} fetched ${fetched.name}: ${fetched.size} bytes, sha256 ${fetched.sha256.slice(0, 16)}… as sent`
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}
