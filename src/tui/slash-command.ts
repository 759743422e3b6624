// What a slash command is, and what many of them share. The commands themselves are in the *-commands.ts files.
import { type SafeText, safeLine, safeTemplate as safe } from '../client/safe-text.ts'
import { isGroupName, isUserName } from '../protocol/names.ts'
import type { State } from './state.ts'
import { type Step, step } from './step.ts'

/** What Tab completes in the place of an argument. */
export type CommandTakes =
  | 'user'
  /** Of this user's: the cluster knows them. */
  | 'device'
  | 'group'
  | 'conversation'
  | 'theme'
  | 'level'
  | 'role'
  | 'groupVerb'
  | 'emoji'
  | 'setting'
  | 'settingValue'
  | 'path'

export interface SlashCommand {
  readonly name: string
  readonly takes: SafeText
  /** One for each argument. */
  readonly completes?: readonly CommandTakes[]
  /** For all arguments after those. */
  readonly completesRest?: CommandTakes
  readonly help: SafeText
  /** The text after the name, trimmed; an answer that is text says what is wrong, and what was typed stays. */
  run(state: State, argument: string): Step | SafeText
}

export const notAName = (text: string): SafeText =>
  safe`“${safeLine(text, { maxLength: 40 })}” is no name; names are a-z, 0-9, dot, underscore and dash`

export const isConversation = (name: string): boolean => isUserName(name) || isGroupName(name)

export const wordsOf = (argument: string): string[] => argument.split(/\s+/).filter((word) => word !== '')

/** Without a name they mean the other user of the open conversation. */
export const aboutUser =
  (type: 'block' | 'unblock' | 'verify' | 'verified') =>
  (state: State, argument: string): Step | SafeText => {
    const user = argument === '' ? (state.current ?? '') : argument
    if (isUserName(user)) return step(state, { type, user })
    return argument === '' ? safe`Which user? Name one, or open the conversation.` : notAName(user)
  }
