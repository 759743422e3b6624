// Thumbnails of the pictures on the screen: decoded one after the other outside of the drawing turn, once for each message and width.
// Without colours, and without the package that reads pictures, there are none.
import { previewPixels } from '../client/preview-pixels.ts'
import type { Preview } from '../protocol/content.ts'
import { INDENT } from './body-lines.ts'
import { beside, halfBlocks, thumbnailRows, thumbnailSize } from './half-blocks.ts'
import { layoutOf } from './layout.ts'
import type { Line } from './lines.ts'
import { previewsOf, type TimelineMessage } from './messages.ts'
import { type State, type Thumbnail, thumbnailOf } from './state.ts'
import type { Store } from './store.ts'
import { messagesOf, windowOf } from './timeline-view.ts'

export interface ThumbnailPorts {
  store: Store
  signal: AbortSignal
  decode?: typeof previewPixels
}
type Wanted = { id: string; previews: readonly Preview[]; width: number; rows: number }

const isMadeFor = (thumbnail: Thumbnail | undefined, width: number, rows: number): boolean =>
  thumbnail?.width === width && thumbnail.rows === rows

const wantedIn = (state: State): Wanted | undefined => {
  if (state.theme === 'mono' || state.timeline?.conversation !== state.current) return undefined
  const { first, last } = windowOf(state)
  const { timelineColumns: width } = layoutOf(state)
  const rows = thumbnailRows(state.size.rows)
  const isMissing = (message: TimelineMessage): boolean =>
    previewsOf(message).length > 0 && !isMadeFor(thumbnailOf(state, message.id), width, rows)
  const message =
    first < 0
      ? undefined
      : messagesOf(state)
          .slice(first, last + 1)
          .findLast(isMissing)
  return message && { id: message.id, previews: previewsOf(message), width, rows }
}

export class Thumbnails {
  readonly #ports: ThumbnailPorts
  #isDecoding = false

  constructor(ports: ThumbnailPorts) {
    this.#ports = ports
  }

  /** After every change of the state. */
  follow(): void {
    const wanted = this.#isDecoding ? undefined : wantedIn(this.#ports.store.getState())
    if (wanted) void this.#decode(wanted)
  }

  async #decode({ id, previews, width, rows }: Wanted): Promise<void> {
    const { store, signal, decode = previewPixels } = this.#ports
    this.#isDecoding = true
    const pictures: Line[][] = []
    for (const preview of previews) {
      const size = thumbnailSize(preview, { columns: width - INDENT, maxRows: rows, isOne: previews.length > 1 })
      const pixels = await decode(preview, size).catch(() => undefined)
      // What cannot be decoded has no lines, and is not tried again.
      if (pixels) pictures.push(halfBlocks(pixels, size))
    }
    this.#isDecoding = false
    if (signal.aborted) return
    store.dispatch({ type: 'thumbnail', id, width, rows, lines: beside(pictures, { width, indent: INDENT }) })
  }
}
