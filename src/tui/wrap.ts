// Breaks a message into lines of at most `width` cells: at spaces where possible, else between graphemes.
// Pure. Spaces at the beginning of a line stay (code, lists); the one a line is broken at goes.
import type { SafeText } from '../client/safe-text.ts'
import { joinText, sliceText, splitGraphemes, widthOf } from './cells.ts'

const TAB_CELLS = 4
const ASCII = /^[\x20-\x7e]*$/

const wrapAscii = (text: SafeText, width: number): SafeText[] => {
  const lines: SafeText[] = []
  let start = 0
  while (text.length - start > width) {
    const space = text.lastIndexOf(' ', start + width)
    const end = space > start ? space : start + width
    lines.push(sliceText(text, start, end))
    start = space > start ? space + 1 : end
  }
  lines.push(sliceText(text, start))
  return lines
}

const wrapGraphemes = (text: SafeText, width: number): SafeText[] => {
  const graphemes = splitGraphemes(text)
  const lines: SafeText[] = []
  let [start, cells, space] = [0, 0, -1]
  for (let index = 0; index < graphemes.length; index++) {
    const grapheme = graphemes[index]
    if (grapheme === undefined) break
    if (grapheme === ' ') space = index
    cells += widthOf(grapheme)
    if (cells <= width || index === start) continue
    const end = space > start ? space : index
    lines.push(joinText(graphemes.slice(start, end)))
    start = space > start ? space + 1 : index
    space = -1
    // Begins again behind the break: what was measured past it belongs to the next line.
    index = start - 1
    cells = 0
  }
  lines.push(joinText(graphemes.slice(start)))
  return lines
}

const expandTabs = (line: SafeText): SafeText =>
  // The cast: spaces for tabs.
  line.includes('\t') ? (line.replace(/\t/g, ' '.repeat(TAB_CELLS)) as SafeText) : line

/** At least one line, also for no text. */
export const wrap = (text: SafeText, width: number): SafeText[] => {
  const cells = Math.max(2, width)
  return text.split('\n').flatMap((raw) => {
    // The cast: a line of safe text.
    const line = expandTabs(raw as SafeText)
    return ASCII.test(line) ? wrapAscii(line, cells) : wrapGraphemes(line, cells)
  })
}
