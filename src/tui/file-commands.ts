// Commands about files.
import { type SafeText, safeTemplate as safe } from '../client/safe-text.ts'
import { viewPictures } from './picture-operations.ts'
import { pathAndText } from './paths.ts'
import type { SlashCommand } from './slash-command.ts'
import type { State } from './state.ts'
import { shownMessage } from './timeline-view.ts'
import { type Step, sendMessage, step } from './step.ts'

const send = (state: State, argument: string): Step | SafeText => {
  const [path, text] = pathAndText(argument) ?? []
  if (path === undefined || text === undefined)
    return safe`/send PATH [TEXT]: Tab completes the path, a backslash or quotes keep a space`
  if (state.current === undefined) return safe`No conversation is open.`
  return sendMessage(state, { text, files: [path] })
}

const view = (state: State): Step | SafeText => {
  const message = shownMessage(state, ({ pictures }) => pictures !== undefined)
  return message ? viewPictures(state, message) : safe`There is no picture here.`
}

const open = (state: State): Step | SafeText => {
  const message = shownMessage(state, ({ said }) => said !== undefined)
  return message ? step(state, { type: 'openFiles', id: message.id }) : safe`There is no file here.`
}

export const fileCommands: readonly SlashCommand[] = [
  {
    name: 'send',
    takes: safe`PATH [TEXT]`,
    completes: ['path'],
    help: safe`a file, with a text if you like; Ctrl-S on a message with files: o opens, s saves them`,
    run: send,
  },
  {
    name: 'open',
    takes: safe``,
    help: safe`the newest files on the screen, in the program for them; of any message: Ctrl-S o`,
    run: open,
  },
  {
    name: 'view',
    takes: safe``,
    help: safe`the newest pictures on the screen, as large as it is; of any message: Ctrl-S v`,
    run: view,
  },
]
