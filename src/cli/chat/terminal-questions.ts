// Asks in a terminal, line by line, with what Enter means in brackets. Ctrl-C and the end of the input end the program.
import { createInterface } from 'node:readline/promises'
import { ChatError } from '../../protocol/errors.ts'
import { EXIT_INTERRUPTED } from '../output.ts'

export interface Questions {
  ask: (question: string, usual: string) => Promise<string>
  say: (line: string) => void
  /** Aborts when the input ends. */
  signal: AbortSignal
  close: () => void
}

export const terminalQuestions = (): Questions => {
  const lines = createInterface({ input: process.stdin, output: process.stdout })
  const ending = new AbortController()
  const ended = new Promise<never>((_resolve, reject) => {
    lines.once('close', () => {
      ending.abort()
      reject(new ChatError('PROFILE_MISSING'))
    })
  })
  // It may be closed when nothing is asked any more.
  ended.catch(() => {})
  lines.on('SIGINT', () => process.exit(EXIT_INTERRUPTED))
  return {
    ask: async (question, usual) => {
      const typed = await Promise.race([lines.question(`${question}${usual === '' ? '' : ` [${usual}]`}: `), ended])
      return typed.trim() || usual
    },
    say: (line) => void process.stdout.write(`${line}\n`),
    signal: ending.signal,
    close: () => lines.close(),
  }
}
