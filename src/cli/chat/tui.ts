// chat tui: the terminal client. React and Ink are loaded only here.
import type { Command } from '@commander-js/extra-typings'
import { connect } from '../../client/index.ts'
import { Profile } from '../../client/profile.ts'
import { examples } from '../output.ts'
import { chatVerb, settingsOf } from './options.ts'

export const registerTui = (program: Command): void => {
  chatVerb(program, 'tui')
    .description('the terminal client')
    .addHelpText('before', examples('chat tui', 'chat --profile bob tui'))
    .option('--settings', 'print the settings as they usually are, to begin a tui.toml in the profile’s directory')
    .action(async (options, command) => {
      const settings = settingsOf(command)
      if (options.settings) {
        const { settingsText } = await import('../../tui/settings.ts')
        return void process.stdout.write(settingsText())
      }
      const { runTui } = await import('../../tui/main.tsx')
      const { name, directory } = new Profile(settings)
      const chat = await connect(settings)
      try {
        await runTui({ chat, profile: name, directory })
      } finally {
        await chat.close()
      }
    })
}
