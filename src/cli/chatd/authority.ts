// chatd authority export and import: moves the authority (key, names, invites, tickets) to another node of the cluster.
import { existsSync } from 'node:fs'
import type { Command } from '@commander-js/extra-typings'
import { type AuthorityState, exportStoppedAuthority, importStoppedAuthority } from '../../node/authority-move.ts'
import { DataFiles } from '../../node/data-files.ts'
import { writeNew } from '../../platform/write-whole.ts'
import { ChatError, hasCode } from '../../protocol/errors.ts'
import { adminCall } from '../admin-client.ts'
import { createOutput, examples } from '../output.ts'
import { readTextFile } from '../text-file.ts'
import { adminVerb, dataDirectory, dataOption, jsonOption } from './node-options.ts'

export const registerAuthority = (program: Command): void => {
  const authority = program
    .command('authority')
    .description('the authority’s key and what it remembers')
    .addHelpText('before', examples('chatd authority export authority.json'))
  adminVerb(authority, 'export')
    .description('write the authority to a file, for a backup or a move')
    .argument('<file>', 'is made, readable by you only')
    .addHelpText('before', examples('chatd authority export authority.json'))
    .action(async (file, options) => {
      const data = dataDirectory(options)
      const state = await exportFrom(data, options.admin)
      writeExport(file, JSON.stringify(state))
      const output = createOutput(options)
      output.result({ cluster: state.cluster, file }, `Wrote the authority of ${state.cluster} to ${file}.`)
      output.note('Whoever has this file is the authority: keep it safe.')
    })
  authority
    .command('import')
    .description('make a stopped node of the cluster its authority')
    .argument('<file>', 'made by chatd authority export')
    .addHelpText('before', examples('chatd authority import authority.json --data /srv/router-2'))
    .addOption(dataOption())
    .addOption(jsonOption())
    .action(async (file, options) => {
      const data = dataDirectory(options)
      const { cluster } = await importStoppedAuthority(new DataFiles(data), readTextFile(file))
      createOutput(options).result(
        { cluster, data },
        `${data} is the authority from its next start on. Do not start the old one with its key any more.`,
      )
    })
}

/** From the running node, else from its directory. */
const exportFrom = async (data: string, url: string | undefined): Promise<AuthorityState> => {
  try {
    return (await adminCall({ data, url, path: '/authority/export' })) as AuthorityState // by node/admin-routes.ts
  } catch (error) {
    if (url !== undefined || !existsSync(data) || !hasCode(error, 'NET_UNAVAILABLE')) throw error
    return exportStoppedAuthority(new DataFiles(data))
  }
}

/** Never over a file that is there. */
const writeExport = (file: string, text: string): void => {
  try {
    writeNew(file, text)
  } catch (cause) {
    throw new ChatError('USAGE', {
      message: `${file} cannot be made (${cause instanceof Error ? cause.message : ''}); choose another file`,
      cause,
    })
  }
}
