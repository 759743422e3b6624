// Whether it is told when the user looks elsewhere: most terminals do, tmux hands it on only where it was set so, some never do.
import { execFile } from 'node:child_process'

const ANSWER_MS = 1_000

/** True when nothing will ever be told, as far as that is known. */
export const lacksFocus = (env: NodeJS.ProcessEnv): Promise<boolean> =>
  env.TMUX === undefined
    ? Promise.resolve(env.STY !== undefined || env.TERM === 'linux')
    : new Promise((resolve) => {
        execFile('tmux', ['show-options', '-sv', 'focus-events'], { env, timeout: ANSWER_MS }, (error, text) =>
          resolve(!error && text.trim() === 'off'),
        )
      })
