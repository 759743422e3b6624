// The pixels of a preview that came with a message, in the size that is wanted. Only what begins like one of the formats of previews
// is decoded: its type is what its sender says. Needs sharp; without it, and of what it cannot read, there are none.
import type { Preview } from '../protocol/content.ts'
import { fromBase64 } from '../protocol/bytes.ts'
import { loadSharp } from './sharp.ts'

/** Previews are small; what unpacks to more is none. */
const MAX_PIXELS = 4_000_000
const RGB = 3
const WHITE = '#ffffff'

const beginsWith = (bytes: Uint8Array, text: string, at = 0): boolean =>
  Array.from(text).every((char, index) => bytes[at + index] === char.charCodeAt(0))
export const beginsLikePicture = (bytes: Uint8Array): boolean =>
  beginsWith(bytes, '\xff\xd8\xff') ||
  beginsWith(bytes, '\x89PNG\r\n') ||
  beginsWith(bytes, 'GIF8') ||
  (beginsWith(bytes, 'RIFF') && beginsWith(bytes, 'WEBP', 8))

export interface PixelSize {
  width: number
  height: number
}

/** Red, green and blue of each, row by row. */
export const previewPixels = async (
  { data }: Preview,
  { width, height }: PixelSize,
): Promise<Uint8Array | undefined> => {
  const bytes = fromBase64(data)
  const sharp = beginsLikePicture(bytes) ? await loadSharp() : undefined
  if (!sharp) return undefined
  try {
    const { data: pixels, info } = await sharp(bytes, { limitInputPixels: MAX_PIXELS })
      .resize(width, height, { fit: 'fill' })
      .flatten({ background: WHITE })
      .toColourspace('srgb')
      .removeAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true })
    return info.channels === RGB && pixels.length === width * height * RGB ? pixels : undefined
  } catch {
    // No picture, whatever it began like.
    return undefined
  }
}
