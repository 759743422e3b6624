// In tmux it is known whether anybody looks only where it hands on what terminals say of their focus, which it does not unless told so.
// Without that all that arrives counts as read, and nothing is notified: whoever uses it hears of that.
import { execFile } from 'node:child_process'
import { safeTemplate as safe } from '../client/safe-text.ts'

const ANSWER_MS = 1_000

export const focusHint = safe`tmux hides whether you look, so nothing is notified: set -g focus-events on`

/** True when there is a tmux and it says so. */
export const lacksFocus = (env: NodeJS.ProcessEnv): Promise<boolean> =>
  env.TMUX === undefined
    ? Promise.resolve(false)
    : new Promise((resolve) => {
        execFile('tmux', ['show-options', '-sv', 'focus-events'], { env, timeout: ANSWER_MS }, (error, text) =>
          resolve(!error && text.trim() === 'off'),
        )
      })
