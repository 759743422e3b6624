// A small picture of a picture, made of its pixels alone: no place, camera or name goes with it. Needs sharp, an optional dependency,
// loaded when the first picture is sent; without it, and of what it cannot read, there is none.
import type { Preview } from '../protocol/content.ts'
import { toBase64 } from '../protocol/bytes.ts'
import { loadSharp } from './sharp.ts'

/** Longest sides in pixels, tried until it is small enough. */
const SIDES = [320, 224, 160, 96, 48]
const QUALITY = 60
/** A picture that unpacks to more is none that a person took. */
const MAX_PIXELS = 200_000_000

/** At most `maxLength` characters of base64; undefined when none can be made. */
export const makePreview = async (path: string, maxLength: number): Promise<Preview | undefined> => {
  const sharp = await loadSharp()
  if (!sharp) return undefined
  try {
    for (const side of SIDES) {
      const { data, info } = await sharp(path, { limitInputPixels: MAX_PIXELS })
        .rotate() // as its orientation says, which is lost with the rest of what the file tells
        .resize(side, side, { fit: 'inside', withoutEnlargement: true })
        .flatten({ background: '#ffffff' })
        .jpeg({ quality: QUALITY, mozjpeg: true })
        .toBuffer({ resolveWithObject: true })
      const text = toBase64(data)
      if (text.length <= maxLength) return { type: 'image/jpeg', data: text, width: info.width, height: info.height }
    }
  } catch {
    // No picture that can be read; the file goes without.
  }
  return undefined
}
