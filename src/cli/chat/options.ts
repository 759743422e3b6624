// What every verb of chat understands: which profile, which gateways, and JSON. Accepted before the verb and after it;
// after it wins. Environment and defaults below flags.
import { type Command, type CommandUnknownOpts, InvalidArgumentError, Option } from '@commander-js/extra-typings'
import { ChatError } from '../../protocol/errors.ts'
import type { ProfileOptions } from '../../client/index.ts'

export const profileOption = () => new Option('--profile <name>', 'which profile (CHAT_PROFILE, else default)')
export const homeOption = () => new Option('--home <dir>', 'directory that holds all profiles (CHAT_HOME)')
export const gatewayOption = () =>
  new Option('--gateway <urls>', 'gateways, separated by commas; remembered by the profile (CHAT_GATEWAY)')
export const insecureOption = () => new Option('--insecure-ws', 'allow plain ws:// to other machines')
export const idsOption = () => new Option('--ids', 'show the ids of messages, for get, status, reply and the like')
export const jsonOption = () => new Option('--json', 'JSON on stdout')

/** A verb with the options that all have; its help shows them as global ones. */
export const chatVerb = <Name extends string>(program: Command, nameAndArguments: Name) =>
  program
    .command(nameAndArguments)
    .addOption(profileOption().hideHelp())
    .addOption(homeOption().hideHelp())
    .addOption(gatewayOption().hideHelp())
    .addOption(insecureOption().hideHelp())
    .addOption(jsonOption().hideHelp())

interface CommonOptions {
  profile?: string
  home?: string
  gateway?: string
  insecureWs?: true
  json?: true
}
export interface Settings extends ProfileOptions {
  json: boolean
}

/** The options of the verb over those given before it, over the environment. */
export const settingsOf = (command: CommandUnknownOpts): Settings => {
  let options: CommonOptions = {}
  for (let at: CommandUnknownOpts | null = command; at; at = at.parent) {
    options = { ...(at.opts() as CommonOptions), ...options } // all were declared with the options above
  }
  const { profile, home, gateway, insecureWs, json } = options
  const named = gateway ?? process.env.CHAT_GATEWAY
  return {
    json: json === true,
    insecure: insecureWs === true,
    ...(profile === undefined ? {} : { profile }),
    ...(home === undefined ? {} : { home }),
    ...(named === undefined || named === '' ? {} : { gateway: named }),
  }
}

export const parseCount = (text: string): number => {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('It is a whole number above 0.')
  return Number(text)
}

/** Commander checks the rest; this one it cannot say. */
export const usage = (message: string): ChatError => new ChatError('USAGE', { message })
