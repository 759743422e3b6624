// What a file is called that someone else named: a plain name in whatever directory it is put, on any system, that no shell, no
// option parser and no terminal takes for something else. Pure; download-directory.ts makes the files.

const MAX_BYTES = 120
/** Longer ones are no extensions, and would leave no room for the name. */
const MAX_EXTENSION_BYTES = 16
const NAMELESS = 'file'

/** Controls, direction marks, invisible and private characters, half surrogate pairs, separators of lines. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/gu
/** What Windows refuses or gives a meaning, besides the separators. */
const FORBIDDEN = /[<>:"|?*]/g
const SPACES = /\p{Zs}+/gu
const AT_START = /^[.\- ]+/
const AT_END = /[. ]+$/
/** They are devices whatever their extension is. */
const DEVICE = /^(con|prn|aux|nul|clock\$|conin\$|conout\$|(com|lpt)[0-9\u00b9\u00b2\u00b3])[ ]*(\.|$)/i

const byteLength = (text: string): number => Buffer.byteLength(text, 'utf8')

/** As many whole characters as fit. */
const cutTo = (text: string, maxBytes: number): string => {
  let end = ''
  let room = maxBytes
  for (const character of text) {
    room -= byteLength(character)
    if (room < 0) break
    end += character
  }
  return end
}

const split = (name: string): { stem: string; extension: string } => {
  const dot = name.lastIndexOf('.')
  const extension = dot > 0 ? name.slice(dot) : ''
  if (extension === '.' || byteLength(extension) > MAX_EXTENSION_BYTES) return { stem: name, extension: '' }
  return { stem: name.slice(0, name.length - extension.length), extension }
}

/** A name of at most 120 bytes, never empty. */
export const safeFileName = (name: string): string => {
  const base = name.normalize('NFC').split(/[/\\]/).at(-1) ?? ''
  const plain = base.replace(UNPRINTABLE, '').replace(FORBIDDEN, '_').replace(SPACES, ' ')
  const trimmed = plain.replace(AT_START, '').replace(AT_END, '')
  const harmless = DEVICE.test(trimmed) ? `_${trimmed}` : trimmed
  return numberedFileName(harmless === '' ? NAMELESS : harmless, 0)
}

/** `report (2).pdf`: the nth other name for a file whose name is taken; 0 is the name itself, cut to 120 bytes. */
export const numberedFileName = (name: string, n: number): string => {
  const { stem, extension } = split(name)
  const end = `${n === 0 ? '' : ` (${n})`}${extension}`
  return `${cutTo(stem, MAX_BYTES - byteLength(end)).replace(AT_END, '')}${end}`
}
