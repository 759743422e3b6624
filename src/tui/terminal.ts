// The modes of the terminal that Ink does not set: raw input, pastes, focus reports, no wrapping at the edge.
// Whatever ends the program, they are put back: the restoring is synchronous and may be repeated.
import { writeSync } from 'node:fs'
import { createInputDecoder, type InputEvent } from './input.ts'

/** No wrapping: an emoji whose width the terminal disputes must not push the screen. */
const ENTER = '\x1b[?7l\x1b[?2004h\x1b[?1004h'
/** Buttons and the wheel, by cells of any number. */
const ENTER_MOUSE = '\x1b[?1000h\x1b[?1006h'
const LEAVE_MOUSE = '\x1b[?1006l\x1b[?1000l'
const LEAVE = `${LEAVE_MOUSE}\x1b[?1004l\x1b[?2004l\x1b[?7h`
/** Ink restores these itself; repeated for an end that leaves it no time. */
const LEAVE_SCREEN = '\x1b[?1049l\x1b[?25h'
/** A lone ESC is the key when nothing follows within this. */
const ESCAPE_MS = 30

export interface TerminalPorts {
  stdin: NodeJS.ReadStream
  stdout: NodeJS.WriteStream
  /** The alternate screen is used. */
  isScreen: boolean
  onInput: (event: InputEvent) => void
  onResize: (size: { columns: number; rows: number }) => void
  /** The terminal is gone: nobody reads or types any more. */
  onLost: () => void
  signal: AbortSignal
}

export const sizeOf = (stdout: NodeJS.WriteStream): { columns: number; rows: number } => ({
  columns: stdout.columns || 80,
  rows: stdout.rows || 24,
})

/** Reads from now on; the function it returns stops and begins again. */
const readInput = (
  { stdin, onInput, onLost, signal }: TerminalPorts,
  onReply: (reply: string) => void,
): ((isOn: boolean) => void) => {
  const decoder = createInputDecoder(onReply)
  let flushing: NodeJS.Timeout | undefined
  const emit = (events: readonly InputEvent[]): void => events.forEach(onInput)
  const onData = (chunk: string): void => {
    clearTimeout(flushing)
    emit(decoder.push(chunk))
    if (decoder.isPending()) flushing = setTimeout(() => emit(decoder.flush()), ESCAPE_MS)
  }
  const read = (isOn: boolean): void => {
    clearTimeout(flushing)
    stdin.off('data', onData)
    if (isOn) stdin.on('data', onData).resume()
    else stdin.pause()
  }
  stdin.setEncoding('utf8')
  read(true)
  stdin.on('end', onLost)
  signal.addEventListener(
    'abort',
    () => {
      read(false)
      stdin.off('end', onLost)
    },
    { once: true },
  )
  return read
}

export interface OpenTerminal {
  /** Puts everything back at once; may be repeated. */
  restore: () => void
  /** Another program has the terminal; false takes it back. */
  lend: (isLent: boolean) => void
  isLent: () => boolean
  /** Whether the mouse is reported; off to begin with. */
  useMouse: (isUsed: boolean) => void
  /** Calls with what the terminal answers to questions about itself, until it is stopped. */
  onReply: (listener: (reply: string) => void) => () => void
}

/** Sets the modes and reads until the signal aborts. */
export const openTerminal = (ports: TerminalPorts): OpenTerminal => {
  const { stdin, stdout, isScreen, signal, onResize, onLost } = ports
  let [isOpen, isLent, hasMouse] = [true, false, false]
  const restore = (): void => {
    if (!isOpen) return
    isOpen = false
    process.off('exit', restoreAtExit)
    try {
      stdin.setRawMode(false)
      stdout.write(LEAVE)
    } catch {
      // The terminal is gone: there is nothing to put back.
    }
  }
  const restoreAtExit = (): void => {
    if (!isOpen) return
    restore()
    try {
      // The stream may never be flushed any more; its descriptor is written to directly.
      writeSync(1, isScreen ? LEAVE + LEAVE_SCREEN : LEAVE)
    } catch {
      // As above.
    }
  }
  const enter = (): void => {
    if (isLent) return
    stdin.setRawMode(true)
    stdout.write(hasMouse ? ENTER + ENTER_MOUSE : ENTER)
  }
  const resized = (): void => onResize(sizeOf(stdout))
  process.on('exit', restoreAtExit)
  // The shell took the modes while the program was stopped.
  process.on('SIGCONT', enter)
  stdout.on('resize', resized)
  // These stay: what is still written when the terminal is gone must not end the program in the middle of its closing.
  stdin.on('error', onLost)
  stdout.on('error', onLost)
  signal.addEventListener(
    'abort',
    () => {
      stdout.off('resize', resized)
      process.off('SIGCONT', enter)
    },
    { once: true },
  )
  enter()
  const listeners = new Set<(reply: string) => void>()
  const read = readInput(ports, (reply) => listeners.forEach((listener) => listener(reply)))
  const lend = (lent: boolean): void => {
    isLent = lent
    if (signal.aborted) return
    read(!lent)
    if (!lent) return enter()
    stdin.setRawMode(false)
    stdout.write(LEAVE)
  }
  const useMouse = (isUsed: boolean): void => {
    if (isUsed === hasMouse) return
    hasMouse = isUsed
    if (isOpen && !isLent) stdout.write(isUsed ? ENTER_MOUSE : LEAVE_MOUSE)
  }
  const onReply: OpenTerminal['onReply'] = (listener) => {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }
  return { restore, lend, isLent: () => isLent, useMouse, onReply }
}
