// Where the owner of a profile listens for the other processes of the same user. The path of a Unix socket has at most 107 bytes,
// so that of a deep directory is replaced by a short one, made from its hash, in a directory of this user alone.
import { lstatSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { ChatError } from '../protocol/errors.ts'
import { toHex, toUtf8 } from '../protocol/bytes.ts'
import { sha256 } from '../protocol/signing.ts'
import { makeDirectory } from '../platform/make-directory.ts'

/** sun_path holds 108 bytes on Linux and 104 on macOS, the ending NUL among them. */
const MAX_BYTES = 103

export const socketPath = (directory: string): string => {
  const direct = join(directory, 'socket')
  if (Buffer.byteLength(direct) <= MAX_BYTES) return direct
  const own = join(process.env.XDG_RUNTIME_DIR ?? tmpdir(), `chat-${userInfo().uid}`)
  makePrivate(own)
  return join(own, toHex(sha256(toUtf8(directory)).subarray(0, 12)))
}

const makePrivate = (directory: string): void => {
  makeDirectory(directory)
  const found = lstatSync(directory)
  if (!found.isDirectory() || found.uid !== userInfo().uid || (found.mode & 0o077) !== 0) {
    throw new ChatError('PROFILE_PERMISSIONS', {
      message: `${directory} must be a directory of this user alone (chmod 700)`,
    })
  }
}
