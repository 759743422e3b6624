// Text into the clipboard of the terminal, over any distance, by OSC 52. Pure; base64 keeps what others wrote from ending the sequence.
import type { SafeText } from '../client/safe-text.ts'
import { throughTmux } from './attention.ts'

/** xterm's limit for the sequence, as bytes of text. */
const MAX_BYTES = 56_000

/** undefined when it is too long for a terminal. */
export const clipboardBytes = (text: SafeText, { tmux }: { tmux: boolean }): string | undefined => {
  const bytes = Buffer.from(text)
  if (bytes.length > MAX_BYTES) return undefined
  const sequence = `\x1b]52;c;${bytes.toString('base64')}\x07`
  // tmux either takes it itself (set-clipboard on) or hands it on (allow-passthrough on).
  return tmux ? sequence + throughTmux(sequence) : sequence
}
