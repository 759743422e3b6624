// Writes a message in the editor of the user ($VISUAL, else $EDITOR, else vi), in a file that only they can read and that goes afterwards.
// It must not touch the screen: who calls it has given the terminal away (main.tsx).
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ChatError } from '../protocol/errors.ts'
import { pasted } from './input.ts'

/** A message has 64 KiB at most; the rest is room to shorten. */
const MAX_BYTES = 1024 * 1024
/** What the shell answers for a command that is not there. */
const NOT_FOUND = 127

const editorOf = (env: NodeJS.ProcessEnv): string => env.VISUAL || env.EDITOR || 'vi'

const endOf = (editor: string, file: string, signal: AbortSignal): Promise<number> =>
  new Promise((resolve, reject) => {
    // Through the shell, as everywhere: the variable may hold arguments.
    const child = spawn('/bin/sh', ['-c', `${editor} "$1"`, 'sh', file], { stdio: 'inherit', signal })
    child.on('error', reject)
    child.on('exit', (code) => resolve(code ?? 1))
  })

/** The text as it was left, without the line break that editors end a file with. USAGE when the editor did not end well. */
export const editText = async (text: string, { env, signal }: { env: NodeJS.ProcessEnv; signal: AbortSignal }) => {
  const directory = await mkdtemp(join(tmpdir(), 'chat-'))
  const file = join(directory, 'message.txt')
  try {
    await writeFile(file, text === '' ? '' : `${text}\n`, { mode: 0o600 })
    const editor = editorOf(env)
    const code = await endOf(editor, file, signal)
    const kept = 'the text is as it was'
    if (code === NOT_FOUND)
      throw new ChatError('USAGE', { message: `There is no ${editor} here; set EDITOR (${kept})` })
    if (code !== 0) throw new ChatError('USAGE', { message: `The editor ended with code ${code}; ${kept}` })
    if ((await stat(file)).size > MAX_BYTES) throw new ChatError('MESSAGE_TOO_LARGE')
    return pasted(await readFile(file, 'utf8')).replace(/\n$/, '')
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}
