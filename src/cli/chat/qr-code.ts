// A QR code for a terminal, light on dark whatever the theme of the terminal is: two modules in a cell, as half blocks.
import { renderUnicodeCompact } from 'uqr'

/** The blocks are the light modules. Scanners want a border of two at least. */
const LIGHT_ON_DARK = '\x1b[97;40m'
const RESET = '\x1b[0m'

export const qrLines = (text: string): string[] =>
  renderUnicodeCompact(text, { border: 2 })
    .split('\n')
    .map((line) => `  ${LIGHT_ON_DARK}${line}${RESET}`)
