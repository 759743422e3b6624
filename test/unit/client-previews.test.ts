// Previews: small, of the picture's pixels alone, and none where there is no picture. Without sharp, which is optional, there are none.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { previewPixels } from '../../src/client/preview-pixels.ts'
import { makePreview } from '../../src/client/previews.ts'
import { systemRandom } from '../../src/platform/system.ts'
import { attachmentsOf } from '../../src/protocol/content.ts'
import { encryptedSize } from '../../src/protocol/blob.ts'
import { limits } from '../../src/protocol/limits.ts'

interface Picture {
  jpeg(): Picture
  withExif(exif: object): Picture
  withMetadata(options: { orientation: number }): Picture
  toFile(path: string): Promise<unknown>
  metadata(): Promise<{ width: number; height: number; exif?: Buffer; orientation?: number; format: string }>
}
type Sharp = (input: Uint8Array, options?: { raw: { width: number; height: number; channels: 3 } }) => Picture
const SHARP: string = 'sharp'
const sharp = await import(SHARP).then(
  (module: { default: Sharp }) => module.default,
  () => undefined,
)

const test = suite('previews')
const [WIDTH, HEIGHT] = [1_200, 800]
const inDirectory = async (run: (directory: string) => Promise<void>): Promise<void> => {
  const directory = mkdtempSync(join(tmpdir(), 'chat-preview-'))
  try {
    await run(directory)
  } finally {
    rmSync(directory, { recursive: true })
  }
}
/** As a camera leaves it: on its side, with a place and a name in it; noise, which packs worst. */
const photo = async (path: string, make: Sharp): Promise<void> => {
  const pixels = systemRandom.bytes(WIDTH * HEIGHT * 3)
  await make(pixels, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } })
    .jpeg()
    .withExif({ IFD0: { Artist: 'a secret name' }, IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '51/1 30/1 0/1' } })
    .withMetadata({ orientation: 6 })
    .toFile(path)
}

test('a photo gets a small one, upright, without what the camera wrote into it', () =>
  inDirectory(async (directory) => {
    const path = join(directory, 'photo.jpg')
    if (sharp) await photo(path, sharp)
    const preview = await makePreview(path, limits.maxPreviewBytes)
    if (!sharp) return assert.is(preview, undefined)
    assert.ok(preview && preview.data.length <= limits.maxPreviewBytes)
    const bytes = Buffer.from(preview.data, 'base64')
    assert.not.ok(bytes.includes('secret') || bytes.includes('Exif'))
    const { width, height, format, exif, orientation } = await sharp(bytes).metadata()
    assert.equal([width, height, format], [preview.width, preview.height, 'jpeg'])
    assert.equal([exif, orientation], [undefined, undefined])
    assert.ok(height > width, 'it lies on its side')
    // What is made is what recipients take.
    const id = 'ab'.repeat(32)
    const attachment = { id, name: 'x', type: 'image/jpeg', size: 1, sha256: id, key: `${'A'.repeat(43)}=`, preview }
    assert.equal(attachmentsOf([attachment], [[id, encryptedSize(1)]]), [attachment])
  }))

test('less room, a smaller one; hardly any, none', () =>
  inDirectory(async (directory) => {
    const path = join(directory, 'photo.jpg')
    if (!sharp) return assert.is(await makePreview(path, 16_384), undefined)
    await photo(path, sharp)
    const [large, small] = [await makePreview(path, 16_384), await makePreview(path, 4_096)]
    assert.ok(large && small && small.width < large.width && small.data.length <= 4_096)
    assert.is(await makePreview(path, 100), undefined)
  }))

test('what is no picture gets none, and is sent all the same', () =>
  inDirectory(async (directory) => {
    const path = join(directory, 'fake.png')
    writeFileSync(path, 'no picture')
    assert.is(await makePreview(path, limits.maxPreviewBytes), undefined)
    assert.is(await makePreview(join(directory, 'nowhere.png'), limits.maxPreviewBytes), undefined)
  }))

test('the pixels of a preview, in the size that is wanted; of what is no picture, whatever it says, none', () =>
  inDirectory(async (directory) => {
    const path = join(directory, 'photo.jpg')
    if (sharp) await photo(path, sharp)
    const preview = await makePreview(path, limits.maxPreviewBytes)
    const size = { width: 8, height: 12 }
    const pixels = preview && (await previewPixels(preview, size))
    assert.is(pixels?.length, sharp ? 8 * 12 * 3 : undefined)
    const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>'
    for (const text of [svg, '', '\xff\xd8\xff broken', 'RIFF1234WEBP']) {
      const data = Buffer.from(text, 'latin1').toString('base64')
      assert.is(await previewPixels({ type: 'image/jpeg', data, width: 9, height: 9 }, size), undefined)
    }
  }))

test.run()
