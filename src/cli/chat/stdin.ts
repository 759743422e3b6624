// The text of a message from stdin.
import { ChatError } from '../../protocol/errors.ts'
import { limits } from '../../protocol/limits.ts'
import { usage } from './options.ts'

const NEWLINE = 0x0a

/** Exactly what came, but for one newline at the end: that is how programs end their output. Reads no more than a text may have. */
export const readStdin = async (): Promise<string> => {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of process.stdin) {
    const bytes = chunk as Buffer // no encoding is set
    chunks.push(bytes)
    size += bytes.length
    if (size > limits.maxTextBytes + 1) throw new ChatError('MESSAGE_TOO_LARGE')
  }
  const bytes = Buffer.concat(chunks)
  try {
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
    return decoder.decode(bytes.at(-1) === NEWLINE ? bytes.subarray(0, -1) : bytes)
  } catch {
    throw usage('What came on stdin is not UTF-8 text, and a message keeps its text exactly')
  }
}
