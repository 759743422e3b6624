// Looking at the pictures of a message: opening them, the next, the one before. Pure; viewer.ts gets what is shown.
import { safeTemplate as safe } from '../client/safe-text.ts'
import type { TimelineMessage } from './messages.ts'
import { pictureOverlay } from './picture-view.ts'
import type { State } from './state.ts'
import { type Step, step, withToast } from './step.ts'

export const viewPictures = (state: State, { id, pictures = [] }: TimelineMessage): Step =>
  pictures.length === 0
    ? step(withToast(state, safe`That message has no picture.`, 'problem'))
    : step({ ...state, overlay: { kind: 'picture', id, pictures, at: 0, lines: [], note: safe`reading …` } })

const turn =
  (by: -1 | 1) =>
  (state: State): Step => {
    const overlay = pictureOverlay(state)
    const at = (overlay?.at ?? 0) + by
    if (!overlay?.pictures[at]) return step(state)
    return step({ ...state, overlay: { ...overlay, at, lines: [], note: safe`reading …` } })
  }

export const pictureOperations = { nextPicture: turn(1), previousPicture: turn(-1) }
