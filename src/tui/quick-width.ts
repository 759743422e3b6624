// How many cells text takes, as string-width says, but at once for what most text is made of: characters of one cell each that join with
// nothing. string-width looks at graphemes as soon as anything is not ASCII, and the first look costs a tenth of a start.
// Also what Ink is given for string-width itself (lean-modules.ts).
import { stripVTControlCharacters } from 'node:util'
import stringWidth from 'string-width'

/** Latin, Cyrillic, the quotation marks and dashes, lines and blocks, the signs of the screen, and its anchors (anchor.ts). */
const NARROW = /^[ -~¡-¨ª-¬¯-ɏЀ-ҁ–—‘’“”•…↓↳─-▟▸●✓\ue000-\uf8ff]*$/

const quickWidth: typeof stringWidth = (text, options) => {
  if (options === undefined) {
    const plain = text.includes('\x1b') ? stripVTControlCharacters(text) : text
    if (NARROW.test(plain)) return plain.length
  }
  return stringWidth(text, options)
}

// oxlint-disable-next-line import/no-default-export -- as string-width does, whose place it takes in Ink
export default quickWidth
