// A picture as sixels: bands of six rows, in 216 colours with an ordered dither, runs counted. Pure.
import type { PictureData } from '../client/picture-pixels.ts'

const LEVELS = 6
const BAND = 6
const RGB = 3
const FIRST_SIGN = 63
const PERCENT = 100
const MAX_VALUE = 255
/** Bayer's matrix: where between two levels a pixel tips over. */
const DITHER = [0, 8, 2, 10, 12, 4, 14, 6, 3, 11, 1, 9, 15, 7, 13, 5]
const SIDE = 4

const levelOf = (value: number, x: number, y: number): number => {
  const threshold = ((DITHER[(y % SIDE) * SIDE + (x % SIDE)] ?? 0) + 0.5) / DITHER.length
  return Math.min(LEVELS - 1, Math.floor((value / MAX_VALUE) * (LEVELS - 1) + threshold))
}

const palette = Array.from({ length: LEVELS ** RGB }, (_, index) => {
  const levels = [Math.floor(index / LEVELS ** 2), Math.floor(index / LEVELS) % LEVELS, index % LEVELS]
  return `#${index};2;${levels.map((level) => Math.round((level * PERCENT) / (LEVELS - 1))).join(';')}`
}).join('')

const colourAt = ({ data, width }: PictureData, x: number, y: number): number => {
  const at = (y * width + x) * RGB
  const [red = 0, green = 0, blue = 0] = data.subarray(at, at + RGB)
  return (levelOf(red, x, y) * LEVELS + levelOf(green, x, y)) * LEVELS + levelOf(blue, x, y)
}

const counted = (signs: Uint8Array): string => {
  let text = ''
  for (let begin = 0; begin < signs.length; ) {
    let end = begin + 1
    while (end < signs.length && signs[end] === signs[begin]) end += 1
    const sign = String.fromCharCode(FIRST_SIGN + (signs[begin] ?? 0))
    text += end - begin > RGB ? `!${end - begin}${sign}` : sign.repeat(end - begin)
    begin = end
  }
  return text
}

/** Each colour of the band from its left edge on, over the others. */
const bandOf = (picture: PictureData, top: number): string => {
  const signs = new Map<number, Uint8Array>()
  for (let row = 0; row < Math.min(BAND, picture.height - top); row++) {
    for (let x = 0; x < picture.width; x++) {
      const colour = colourAt(picture, x, top + row)
      const columns = signs.get(colour) ?? new Uint8Array(picture.width)
      columns[x] = (columns[x] ?? 0) | (1 << row)
      signs.set(colour, columns)
    }
  }
  return [...signs].map(([colour, columns]) => `#${colour}${counted(columns)}`).join('$')
}

/** `picture`: red, green and blue of each pixel. */
export const sixelBytes = (picture: PictureData): string => {
  const bands = Array.from({ length: Math.ceil(picture.height / BAND) }, (_, index) => bandOf(picture, index * BAND))
  return `\x1bP0;1q"1;1;${picture.width};${picture.height}${palette}${bands.join('-')}\x1b\\`
}
