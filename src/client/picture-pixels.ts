// A picture that came as a file, in the size that is wanted, for whoever shows it. Only what begins like a picture is decoded: its type is
// what its sender says. Needs sharp; without it, and of what it cannot read, there is none.
import { beginsLikePicture } from './preview-pixels.ts'
import { loadSharp, type Picture } from './sharp.ts'

/** What unpacks to more is none that a person took. */
const MAX_PIXELS = 100_000_000
const WHITE = '#ffffff'
const JPEG_QUALITY = 85

/** `rgb`: red, green and blue of each pixel, row by row. */
const encoders = {
  png: (picture: Picture) => picture.png(),
  jpeg: (picture: Picture) => picture.jpeg({ quality: JPEG_QUALITY, mozjpeg: false }),
  rgb: (picture: Picture) => picture.raw(),
}
export type PictureFormat = keyof typeof encoders

export interface PictureData {
  data: Uint8Array
  width: number
  height: number
}

/** Inside of the box, never larger than it is. */
export const pictureIn = async (
  bytes: Uint8Array,
  box: { width: number; height: number },
  format: PictureFormat,
): Promise<PictureData | undefined> => {
  const sharp = beginsLikePicture(bytes) ? await loadSharp() : undefined
  if (!sharp) return undefined
  try {
    const picture = sharp(bytes, { limitInputPixels: MAX_PIXELS })
      .rotate() // as its orientation says
      .resize(box.width, box.height, { fit: 'inside', withoutEnlargement: true })
      .flatten({ background: WHITE })
      .toColourspace('srgb')
      .removeAlpha()
    const { data, info } = await encoders[format](picture).toBuffer({ resolveWithObject: true })
    return { data, width: info.width, height: info.height }
  } catch {
    // No picture, whatever it began like.
    return undefined
  }
}
