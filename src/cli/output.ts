// How both programs speak: stdout is data, stderr is messages, errors say what happened and what to try, exit codes follow
// interface.md. One place runs a program from its arguments to its exit code. It knows no verb.
import { type CommandUnknownOpts, CommanderError } from '@commander-js/extra-typings'
import { safeText } from '../client/safe-text.ts'
import { asChatError, ChatError } from '../protocol/errors.ts'

const EXIT_USAGE = 2
export const EXIT_INTERRUPTED = 130

export interface Output {
  readonly isJson: boolean
  /** The one result of a command: the value with --json, the text otherwise (nothing when the text is empty). */
  result(value: unknown, human: string | (() => string)): void
  /** One line of a command that streams: the same as result, called many times. */
  event(value: unknown, human: string | (() => string)): void
  /** Progress and hints, on stderr. */
  note(text: string): void
}

const writeLine = (stream: NodeJS.WriteStream, text: string): void => {
  if (text !== '') stream.write(text.endsWith('\n') ? text : `${text}\n`)
}

export const createOutput = (options: { json?: boolean | undefined }): Output => {
  const isJson = options.json === true
  const write = (value: unknown, human: string | (() => string)): void =>
    writeLine(process.stdout, isJson ? JSON.stringify(value) : typeof human === 'string' ? human : human())
  return { isJson, result: write, event: write, note: (text) => writeLine(process.stderr, text) }
}

/** Says the error on stderr, with `json` on stdout too, and returns the exit code it stands for. */
const reportError = (error: unknown, options: { json: boolean; program: string }): number => {
  const known = asChatError(error)
  const { code, message, retryable, outcome, details } = known.toWire()
  // Much of an error may be what another machine said.
  writeLine(process.stderr, `${options.program}: ${safeText(message)} [${code}]`)
  if (process.env.CHATD_DEBUG && known.stack) writeLine(process.stderr, stackOf(known))
  if (options.json) {
    const shown = { code, message, retryable, outcome, ...(details ? { details } : {}) }
    writeLine(process.stdout, JSON.stringify({ error: shown }))
  }
  return known.exitCode
}

const stackOf = (error: Error): string =>
  error.cause instanceof Error ? `${error.stack}\ncaused by ${error.cause.stack}` : String(error.stack)

/** Examples come first in --help: they are what most people look for. */
export const examples = (...lines: string[]): string => `Examples:\n${lines.map((line) => `  $ ${line}`).join('\n')}\n`

const applyToAll = (command: CommandUnknownOpts, program: string): void => {
  command.exitOverride().showSuggestionAfterError(true)
  command.showHelpAfterError(`See ${program} --help. [USAGE]`)
  command.configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, `${program}: `)) })
  command.configureHelp({ sortSubcommands: false, showGlobalOptions: true })
  for (const child of command.commands) applyToAll(child, `${program} ${child.name()}`)
}

const exitCodeOfUsage = (error: CommanderError, json: boolean): number => {
  if (error.exitCode === 0) return 0
  if (json) {
    const isHelp = error.code === 'commander.help'
    const message = isHelp ? 'A command is missing; see --help' : error.message.replace(/^error: /, '')
    writeLine(process.stdout, JSON.stringify({ error: new ChatError('USAGE', { message }).toWire() }))
  }
  return EXIT_USAGE
}

/** Written data must reach a pipe before the process may end. */
const flushed = (stream: NodeJS.WriteStream): Promise<void> =>
  new Promise((resolve) => {
    stream.once('error', () => resolve())
    stream.write('', () => resolve())
  })

/**
 * Parses the arguments, runs the verb and ends the process with its exit code: that of process.exitCode when the verb set
 * one, else 0, or what its error stands for. A reader that goes away (`| head`) ends the program quietly.
 */
export const runProgram = async (program: CommandUnknownOpts, argv: string[] = process.argv): Promise<void> => {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0)
    writeLine(process.stderr, `${program.name()}: the output cannot be written (${error.message})`)
    process.exit(1)
  })
  process.stderr.on('error', () => {})
  applyToAll(program, program.name())
  const json = argv.includes('--json')
  let code: number | undefined
  try {
    await program.parseAsync(argv)
  } catch (error) {
    code =
      error instanceof CommanderError
        ? exitCodeOfUsage(error, json)
        : reportError(error, { json, program: program.name() })
  }
  await Promise.all([flushed(process.stdout), flushed(process.stderr)])
  process.exit(code ?? process.exitCode ?? 0)
}
