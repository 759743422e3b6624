// The optional package that reads and makes pictures, loaded when the first one is wanted; without it there are none.
// What is used of it is declared here, because the program is also built where it is not installed.

export interface Picture {
  rotate(): Picture
  resize(
    width: number,
    height: number,
    options: { fit: 'inside'; withoutEnlargement: boolean } | { fit: 'fill' },
  ): Picture
  flatten(options: { background: string }): Picture
  toColourspace(space: 'srgb'): Picture
  removeAlpha(): Picture
  jpeg(options: { quality: number; mozjpeg: boolean }): Picture
  png(): Picture
  raw(): Picture
  toBuffer(options: { resolveWithObject: true }): Promise<{
    data: Buffer
    info: { width: number; height: number; channels: number }
  }>
}
type Sharp = (pathOrBytes: string | Uint8Array, options: { limitInputPixels: number }) => Picture

const SHARP: string = 'sharp'
let loading: Promise<Sharp | undefined> | undefined

export const loadSharp = (): Promise<Sharp | undefined> => {
  loading ??= import(SHARP).then(
    (module: { default: Sharp }) => module.default,
    () => undefined, // not installed, or not for this machine
  )
  return loading
}
