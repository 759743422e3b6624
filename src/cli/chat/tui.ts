// chat tui: the terminal client. React and Ink are loaded only here. Without a profile it asks for gateway and name first.
import { userInfo } from 'node:os'
import { resolve } from 'node:path'
import { type Command, Option } from '@commander-js/extra-typings'
import { connect, registerProfile } from '../../client/index.ts'
import { Profile } from '../../client/profile.ts'
import { isUserName } from '../../protocol/names.ts'
import { anyStatus } from '../cluster/any-status.ts'
import { examples } from '../output.ts'
import { firstRun } from './first-run.ts'
import { chatVerb, type Settings, settingsOf } from './options.ts'
import { terminalQuestions } from './terminal-questions.ts'

const USUAL_GATEWAY = 'ws://127.0.0.1:7400'

const usualName = (profile: string): string => {
  const name = profile === 'default' ? userInfo().username.toLowerCase() : profile
  return isUserName(name) ? name : ''
}

const registerByAsking = async (settings: Settings, profile: string): Promise<void> => {
  const { ask, say, close } = terminalQuestions()
  const known = settings.gateway === undefined ? {} : { gateway: String(settings.gateway) }
  try {
    await firstRun(
      {
        ask,
        say,
        register: ({ gateway, name, invite }) =>
          registerProfile({ ...settings, gateway, name, ...(invite === '' ? {} : { invite }) }),
      },
      { known, usual: { gateway: USUAL_GATEWAY, name: usualName(profile) } },
    )
  } finally {
    close()
  }
}

const runClient = async (settings: Settings, clusterDir: string | undefined): Promise<void> => {
  const profile = new Profile(settings)
  const isTerminal = process.stdin.isTTY && process.stdout.isTTY
  if (isTerminal && !profile.read()) await registerByAsking(settings, profile.name)
  const { runTui } = await import('../../tui/main.tsx')
  const chat = await connect(settings)
  try {
    const cluster = clusterDir === undefined ? {} : { cluster: { status: anyStatus(resolve(clusterDir)) } }
    await runTui({ chat, profile: profile.name, directory: profile.directory, ...cluster })
  } finally {
    await chat.close()
  }
}

export const registerTui = (program: Command): void => {
  chatVerb(program, 'tui')
    .description('the terminal client')
    .addHelpText('before', examples('chat tui', 'chat --profile bob tui', 'chat tui --settings > tui.toml'))
    .option('--settings', 'print the settings as they usually are, to begin a tui.toml in the profile’s directory')
    .addOption(
      new Option(
        '--cluster <dir>',
        'for /cluster: directory of chatd cluster up, or of a node, whose token you may read',
      ).env('CHAT_CLUSTER'),
    )
    .action(async (options, command) => {
      if (!options.settings) return runClient(settingsOf(command), options.cluster)
      const { settingsText } = await import('../../tui/settings.ts')
      process.stdout.write(settingsText())
    })
}
