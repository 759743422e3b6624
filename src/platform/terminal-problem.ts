// Whether a terminal can show the client at all. Known before anything is asked, started or loaded.
interface Streams {
  stdin: { isTTY?: boolean }
  stdout: { isTTY?: boolean }
}

export const isTerminal = ({ stdin, stdout }: Streams): boolean => stdin.isTTY === true && stdout.isTTY === true

/** Why the client cannot be shown, and what does without; also lines for a screen reader move the cursor. */
export const terminalProblem = (streams: Streams, { TERM }: NodeJS.ProcessEnv): string | undefined => {
  if (!isTerminal(streams)) return 'chat tui needs a terminal; chat send, chat listen and chat history do without one'
  if (TERM !== 'dumb') return undefined
  return 'chat tui needs a terminal whose cursor can be moved, and this one says it cannot (TERM=dumb); chat send, chat listen and chat history work here'
}
