// chat tui: the terminal client. React and Ink are loaded only here, and of the client library no more than the first screen needs.
// Without a profile it asks who this device is to be first.
import { userInfo } from 'node:os'
import { resolve } from 'node:path'
import { type Command, Option } from '@commander-js/extra-typings'
import { connectBeside } from '../../client/beside.ts'
import { listProfiles, Profile } from '../../client/profile.ts'
import { fileLogger } from '../../platform/file-logger.ts'
import { keepHeapSmall } from '../../platform/small-heap.ts'
import { terminalProblem } from '../../platform/terminal-problem.ts'
import { ChatError } from '../../protocol/errors.ts'
import { isUserName } from '../../protocol/names.ts'
import { examples } from '../output.ts'
import { chooseProfile } from './choose-profile.ts'
import { chatVerb, type Settings, settingsOf } from './options.ts'
import { type Questions, terminalQuestions } from './terminal-questions.ts'

const USUAL_GATEWAY = 'ws://127.0.0.1:7400'

const usualName = (profile: string): string => {
  const name = profile === 'default' ? userInfo().username.toLowerCase() : profile
  return isUserName(name) ? name : ''
}

interface Beginning {
  questions: Questions
  /** A picture of a code says nothing. */
  isSpoken: boolean
}

/** The profile becomes somebody: a new user, or one more device of one. */
const beginProfile = async (settings: Settings, profile: string, { questions, isSpoken }: Beginning): Promise<void> => {
  const { ask, say, signal } = questions
  const [{ linkProfile, registerProfile }, { firstRun }, { qrLines }] = await Promise.all([
    import('../../client/index.ts'),
    import('./first-run.ts'),
    import('./qr-code.ts'),
  ])
  const known = settings.gateway === undefined ? {} : { gateway: String(settings.gateway) }
  await firstRun(
    {
      ask,
      say,
      picture: isSpoken ? () => [] : qrLines,
      register: ({ gateway, name, invite }) =>
        registerProfile({ ...settings, profile, gateway, name, ...(invite === '' ? {} : { invite }) }),
      link: ({ gateway, onCode }) => linkProfile({ ...settings, profile, gateway, onCode, signal }),
    },
    { known, usual: { gateway: USUAL_GATEWAY, name: usualName(profile) } },
  )
}

/** Asks what has to be known before a client can be opened: which profile, when nobody named one, and who it is, when it is new. */
const settled = async (settings: Settings, isSpoken: boolean): Promise<Settings> => {
  const usual = new Profile(settings)
  if (usual.read()) return settings
  const isNamed = settings.profile !== undefined || process.env.CHAT_PROFILE !== undefined
  const profiles = isNamed ? [] : listProfiles(settings.home)
  const questions = terminalQuestions()
  try {
    const chosen = profiles.length === 0 ? usual.name : await chooseProfile(questions, profiles)
    if (!profiles.some(({ profile }) => profile === chosen))
      await beginProfile(settings, chosen, { questions, isSpoken })
    return { ...settings, profile: chosen }
  } finally {
    questions.close()
  }
}

interface TuiFlags {
  cluster?: string | undefined
  screenReader?: true | undefined
}
const runClient = async (given: Settings, { cluster: clusterDir, screenReader }: TuiFlags): Promise<void> => {
  keepHeapSmall()
  const problem = terminalProblem(process, process.env)
  if (problem !== undefined) throw new ChatError('USAGE', { message: problem })
  const isSpoken = screenReader === true || process.env.INK_SCREEN_READER === 'true'
  const settings = await settled(given, isSpoken)
  const { name: profile, directory, logPath: path } = new Profile(settings)
  // It opens while the components load.
  const beside = connectBeside(settings)
  try {
    const { runTui } = await import('../../tui/main.tsx')
    const log = { path, logger: fileLogger(path) }
    const spoken = screenReader ? { screenReader } : {}
    await runTui({ ...beside, profile, directory, log, ...(await clusterOf(clusterDir)), ...spoken })
  } finally {
    await beside.chat.close()
  }
}

const clusterOf = async (directory: string | undefined) => {
  if (directory === undefined) return {}
  const { anyStatus } = await import('../cluster/any-status.ts')
  return { cluster: { status: anyStatus(resolve(directory)) } }
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
    .option('--screen-reader', 'lines for a screen reader instead of a screen')
    .action(async (options, command) => {
      if (!options.settings) return runClient(settingsOf(command), options)
      const { settingsText } = await import('../../tui/settings.ts')
      process.stdout.write(settingsText())
    })
}
