// The port SourceFiles over the file system: what is sent is a regular file that this user may read, and is read in order.
import { constants, createReadStream } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { passingOn } from '../platform/bulk-memory.ts'
import { ChatError } from '../protocol/errors.ts'
import { fileError } from '../platform/file-error.ts'
import type { SourceFiles } from './ports.ts'
import { makePreview } from './previews.ts'

const READ_BYTES = 256 * 1024
/** What is read is encrypted, and joined to its tag. */
const COPIES = 3

export const localFiles: SourceFiles = {
  stat: async (path) => {
    try {
      const found = await stat(path)
      if (!found.isFile()) throw new ChatError('USAGE', { message: `${path} is no file; only files can be sent` })
      await access(path, constants.R_OK)
      return { size: found.size, modifiedAt: found.mtimeMs }
    } catch (cause) {
      throw fileError(path, cause)
    }
  },
  read: async function* (path, { from, signal }) {
    try {
      const stream = createReadStream(path, { start: from, highWaterMark: READ_BYTES, signal })
      yield* passingOn(stream, COPIES)
    } catch (cause) {
      throw signal.aborted ? cause : fileError(path, cause)
    }
  },
  preview: makePreview,
}
