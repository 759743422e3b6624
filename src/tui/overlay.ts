// What can lie over the timeline, as plain data; one at a time. What keys do there is in overlay-operations.ts and beside each view.
import type { SafeText } from '../client/safe-text.ts'
import type { Draft } from './draft.ts'
import type { Line } from './lines.ts'
import type { PictureFile } from './messages.ts'
import type { Effect, ListRow } from './state.ts'

export type Overlay =
  | { readonly kind: 'help' | 'cluster'; readonly top: number }
  /** `part`: of the card, where the terminal is too low for all of it. */
  | { readonly kind: 'tour'; readonly card: number; readonly part: number }
  /** The question whether it goes into the message. */
  | { readonly kind: 'paste'; readonly text: string }
  /** `reactTo`: it chooses an emoji for that message. */
  | { readonly kind: 'switcher'; readonly query: Draft; readonly selected: number; readonly reactTo?: string }
  /** What cannot be taken back is asked about. */
  | { readonly kind: 'confirm'; readonly question: SafeText; readonly effect: Effect }
  /** One of the pictures of a message; without lines the terminal's graphics show it, or the note says why nothing does. */
  | {
      readonly kind: 'picture'
      readonly id: string
      readonly pictures: readonly PictureFile[]
      readonly at: number
      readonly lines: readonly Line[]
      readonly note: SafeText | undefined
    }
  | { readonly kind: 'list'; readonly title: SafeText; readonly rows: readonly ListRow[]; readonly selected: number }
