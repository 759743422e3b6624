// Asks the terminal what it can show, once, when the first picture is to be shown: a reply that never comes costs a moment then, and nothing
// at the start. Replies reach here, not the input.
import { execFile } from 'node:child_process'
import type { Clock } from '../platform/ports.ts'
import {
  answersOf,
  canBeAsked,
  type Graphics,
  graphicsOf,
  type GraphicsWay,
  isLastAnswer,
  noAnswers,
  QUESTION,
  type TerminalAnswers,
  type Tmux,
} from './graphics.ts'

/** Over a slow line too. */
const ANSWER_MS = 400

export interface AskingPorts {
  env: NodeJS.ProcessEnv
  clock: Clock
  write: (bytes: string) => void
  /** Calls with each reply of the terminal until it is stopped. */
  onReply: (listener: (reply: string) => void) => () => void
}
export interface TerminalGraphics {
  graphics: Graphics
  cell: TerminalAnswers['cell']
  tmux: Tmux | undefined
}

const askTerminal = ({ clock, write, onReply }: AskingPorts): Promise<TerminalAnswers> =>
  new Promise((resolve) => {
    const replies: string[] = []
    const done = (): void => {
      stop()
      cancel()
      resolve(answersOf(replies))
    }
    const stop = onReply((reply) => {
      replies.push(reply)
      if (isLastAnswer(reply)) done()
    })
    const cancel = clock.after(ANSWER_MS, done)
    write(QUESTION)
  })

const FIELDS = ['pane_left', 'pane_top', 'status', 'status-position', 'allow-passthrough', 'client_termname']

/** undefined when it says nothing. */
const askTmux = ({ TMUX_PANE }: NodeJS.ProcessEnv): Promise<Tmux | undefined> =>
  new Promise((resolve) => {
    const format = [...FIELDS, 'client_termtype'].map((field) => `#{${field}}`).join('\t')
    const target = TMUX_PANE === undefined ? [] : ['-t', TMUX_PANE]
    execFile('tmux', ['display-message', '-p', ...target, format], { timeout: ANSWER_MS }, (error, text) => {
      const [left, top, status = '', position, allows = '', term = '', words = ''] = text.trimEnd().split('\t')
      const lines = status === 'on' ? 1 : Number(status) || 0
      const above = position === 'top' ? lines : 0
      const passesOn = /^(?:1|on|all)$/.test(allows)
      resolve(error ? undefined : { passesOn, left: Number(left), top: Number(top) + above, term, words })
    })
  })

export const askGraphics = async (wanted: GraphicsWay, ports: AskingPorts): Promise<TerminalGraphics> => {
  const { env } = ports
  if (wanted === 'blocks') return { graphics: wanted, cell: noAnswers.cell, tmux: undefined }
  const answers = canBeAsked(env) ? await askTerminal(ports) : noAnswers
  const tmux = env.TMUX === undefined ? undefined : await askTmux(env)
  return { graphics: graphicsOf(wanted, { env, answers, tmux }), cell: answers.cell, tmux }
}
