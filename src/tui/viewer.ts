// Gets the picture that is looked at onto the screen: fetched, decoded for the room there is, drawn by the terminal's own graphics where it
// has them, else in half blocks. Follows the state; what was drawn by graphics is taken away when the state has no picture any more.
import type { Chat } from '../client/api.ts'
import { pictureIn } from '../client/picture-pixels.ts'
import { type SafeText, safeLine, safeTemplate as safe } from '../client/safe-text.ts'
import type { Clock } from '../platform/ports.ts'
import { sleep } from '../platform/timing.ts'
import { asChatError } from '../protocol/errors.ts'
import type { TerminalGraphics } from './asking.ts'
import { hideBytes, protocols, showBytes } from './graphics-bytes.ts'
import { halfBlocks } from './half-blocks.ts'
import type { Line } from './lines.ts'
import { pictureBox, type PictureOverlay, pictureOverlay, pictureRoom } from './picture-view.ts'
import type { State } from './state.ts'
import type { Store } from './store.ts'

/** A file that is larger is opened by another program. */
const MAX_BYTES = 64 * 1024 * 1024
/** The cells under the graphics have been written by then. */
const DRAWN_MS = 100
const PROGRESS_MS = 250

export interface ViewerPorts {
  chat: Pick<Chat, 'readAttachment'>
  store: Store
  clock: Clock
  signal: AbortSignal
  write: (bytes: string) => void
  redraw: () => void
  /** Half blocks can be drawn. */
  hasColours: boolean
  /** Asked when the first picture is wanted. */
  askGraphics: () => Promise<TerminalGraphics>
}

const keyOf = (state: State): string => {
  const overlay = pictureOverlay(state)
  const { columns, rows } = pictureRoom(state)
  return overlay ? `${overlay.id} ${overlay.at} ${columns} ${rows}` : ''
}

export class Viewer {
  readonly #ports: ViewerPorts
  #wanted = ''
  #showing = new AbortController()
  #asked: Promise<TerminalGraphics> | undefined
  /** Takes what was drawn by graphics away. */
  #hide: (() => void) | undefined
  #held: { file: string; bytes: Uint8Array } | undefined

  constructor(ports: ViewerPorts) {
    this.#ports = ports
    ports.signal.addEventListener('abort', () => this.#clear(), { once: true })
  }

  /** After every change of the state. */
  follow(): void {
    const state = this.#ports.store.getState()
    const key = keyOf(state)
    if (key === this.#wanted) return
    this.#wanted = key
    this.#clear()
    const overlay = pictureOverlay(state)
    if (!overlay) {
      this.#held = undefined
      return
    }
    this.#showing = new AbortController()
    void this.#show(overlay, this.#showing.signal)
  }

  #clear(): void {
    this.#showing.abort()
    this.#hide?.()
    this.#hide = undefined
  }

  #say(overlay: PictureOverlay, note: SafeText | undefined, lines: readonly Line[] = []): void {
    const { id, at } = overlay
    this.#ports.store.dispatch({ type: 'picture', id, at, lines, note })
  }

  async #show(overlay: PictureOverlay, signal: AbortSignal): Promise<void> {
    try {
      const bytes = await this.#bytes(overlay, signal)
      this.#asked ??= this.#ports.askGraphics()
      const terminal = await this.#asked
      if (signal.aborted) return
      if (bytes === undefined) this.#say(overlay, safe`This picture is too large to be shown here; it can be opened.`)
      else if (terminal.graphics === 'blocks') await this.#showBlocks(overlay, bytes, signal)
      else await this.#showGraphics(overlay, { bytes, terminal, graphics: terminal.graphics, signal })
    } catch (error) {
      if (!signal.aborted) this.#say(overlay, safeLine(asChatError(error).message, { maxLength: 300 }))
    }
  }

  /** The file; undefined when it is too large. Kept for the next size of the screen. */
  async #bytes({ id, pictures, at }: PictureOverlay, signal: AbortSignal): Promise<Uint8Array | undefined> {
    const { chat, clock, store } = this.#ports
    const { index = 0, size = 0 } = pictures[at] ?? {}
    const file = `${id} ${index}`
    if (this.#held?.file === file) return this.#held.bytes
    if (size > MAX_BYTES) return undefined
    const chunks: Uint8Array[] = []
    let [received, saidAt] = [0, clock.monotonic()]
    for await (const chunk of chat.readAttachment(id, index, { signal })) {
      chunks.push(chunk)
      received += chunk.length
      if (clock.monotonic() - saidAt < PROGRESS_MS) continue
      saidAt = clock.monotonic()
      const note = safe`reading … ${Math.floor((100 * received) / Math.max(1, size))} %`
      store.dispatch({ type: 'picture', id, at, lines: [], note })
    }
    const bytes = Buffer.concat(chunks)
    this.#held = { file, bytes }
    return bytes
  }

  async #showBlocks(overlay: PictureOverlay, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    const { store, hasColours } = this.#ports
    const state = store.getState()
    if (!hasColours || state.theme === 'mono') {
      return this.#say(overlay, safe`Without colours a terminal shows no pictures; it can be opened.`)
    }
    const { columns, rows } = pictureRoom(state)
    const picture = await pictureIn(bytes, { width: columns, height: 2 * rows }, 'rgb')
    if (signal.aborted) return
    this.#say(overlay, picture ? undefined : unreadable, picture ? halfBlocks(picture.data, picture) : [])
  }

  async #showGraphics(
    overlay: PictureOverlay,
    {
      bytes,
      terminal: { cell, tmux },
      graphics,
      signal,
    }: { bytes: Uint8Array; terminal: TerminalGraphics; graphics: keyof typeof protocols; signal: AbortSignal },
  ): Promise<void> {
    const { clock, store, write, redraw } = this.#ports
    const room = pictureRoom(store.getState())
    const size = { width: room.columns * cell.width, height: room.rows * cell.height }
    const picture = await pictureIn(bytes, size, protocols[graphics].format)
    if (signal.aborted) return
    this.#say(overlay, picture ? undefined : unreadable)
    if (!picture) return
    await sleep(clock, DRAWN_MS, signal)
    if (signal.aborted) return
    const [columns, rows] = [Math.ceil(picture.width / cell.width), Math.ceil(picture.height / cell.height)]
    write(showBytes(graphics, picture, { box: pictureBox(store.getState(), { columns, rows }), tmux }))
    this.#hide = () => {
      const bytesOfHiding = hideBytes(graphics, tmux)
      if (bytesOfHiding === undefined) redraw()
      else write(bytesOfHiding)
    }
  }
}

const unreadable = safe`This is no picture that can be shown here: sharp, an optional package, reads them. It can be opened.`
