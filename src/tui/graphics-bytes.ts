// The bytes that put a picture on a terminal with graphics, at a place, and take it away again. Pure: nothing of others is in them but
// encoded pixels, made here from what was decoded.
import type { PictureData, PictureFormat } from '../client/picture-pixels.ts'
import { throughTmux } from './attention.ts'
import type { Graphics, Tmux } from './graphics.ts'
import { sixelBytes } from './sixel.ts'

/** In cells; the place from 0. */
export interface PictureBox {
  readonly column: number
  readonly row: number
  readonly columns: number
  readonly rows: number
}
interface Protocol {
  format: PictureFormat
  /** In pieces, each whole in itself. */
  show: (picture: PictureData, box: PictureBox) => readonly string[]
  /** Undefined: it goes when the cells are written anew. */
  hide: string | undefined
  /** tmux must hand it on; else it knows it itself. */
  isForeign: boolean
}

/** Of base64 in one piece, as kitty takes it. */
const KITTY_PIECE = 4096
/** One picture at a time; the number is ours. */
const KITTY_ID = 7_411

const kittyPieces = ({ data }: PictureData, { columns, rows }: PictureBox): string[] => {
  const text = Buffer.from(data).toString('base64')
  const count = Math.max(1, Math.ceil(text.length / KITTY_PIECE))
  return Array.from({ length: count }, (_, index) => {
    const piece = text.slice(index * KITTY_PIECE, (index + 1) * KITTY_PIECE)
    // Shown at once, its answers and the cursor suppressed.
    const head = index === 0 ? `a=T,f=100,t=d,i=${KITTY_ID},p=1,c=${columns},r=${rows},C=1,q=2,` : ''
    return `\x1b_G${head}m=${index === count - 1 ? 0 : 1};${piece}\x1b\\`
  })
}

const itermPieces = ({ data }: PictureData, { columns, rows }: PictureBox): string[] => {
  const size = `width=${columns};height=${rows};preserveAspectRatio=1`
  return [`\x1b]1337;File=inline=1;size=${data.length};${size}:${Buffer.from(data).toString('base64')}\x07`]
}

export const protocols: Record<Exclude<Graphics, 'blocks'>, Protocol> = {
  kitty: { format: 'png', show: kittyPieces, hide: `\x1b_Ga=d,d=I,i=${KITTY_ID},q=2\x1b\\`, isForeign: true },
  iterm: { format: 'jpeg', show: itermPieces, hide: undefined, isForeign: true },
  sixel: { format: 'rgb', show: (picture) => [sixelBytes(picture)], hide: undefined, isForeign: false },
}

const [SAVE, RESTORE] = ['\x1b7', '\x1b8']
const moveTo = (row: number, column: number): string => `\x1b[${row + 1};${column + 1}H`

/** The cursor is where it was afterwards. `tmux`: its pane is somewhere else in the terminal. */
export const showBytes = (
  graphics: keyof typeof protocols,
  picture: PictureData,
  { box, tmux }: { box: PictureBox; tmux: Tmux | undefined },
): string => {
  const { show, isForeign } = protocols[graphics]
  const pieces = show(picture, box)
  if (!tmux || !isForeign) return `${SAVE}${moveTo(box.row, box.column)}${pieces.join('')}${RESTORE}`
  const begin = `${SAVE}${moveTo(tmux.top + box.row, tmux.left + box.column)}`
  const last = pieces.length - 1
  return pieces
    .map((piece, index) => throughTmux(`${index === 0 ? begin : ''}${piece}${index === last ? RESTORE : ''}`))
    .join('')
}

export const hideBytes = (graphics: keyof typeof protocols, tmux: Tmux | undefined): string | undefined => {
  const { hide } = protocols[graphics]
  return hide !== undefined && tmux ? throughTmux(hide) : hide
}
