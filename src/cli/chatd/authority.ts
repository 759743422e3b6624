// chatd authority export and import: moves the authority (key, names, invites, tickets) to another node of the cluster.
import { readFileSync, writeFileSync } from 'node:fs'
import type { Command } from '@commander-js/extra-typings'
import {
  type AuthorityState,
  exportAuthority,
  importAuthority,
  parseAuthority,
} from '../../node/auth/authority-state.ts'
import { DataFiles } from '../../node/data-files.ts'
import { ChatError } from '../../protocol/errors.ts'
import { keyPairFromSeed } from '../../protocol/signing.ts'
import { adminCall } from '../admin-client.ts'
import { createOutput, examples } from '../output.ts'
import { adminVerb, dataDirectory, dataOption, jsonOption } from './node-options.ts'

export const registerAuthority = (program: Command): void => {
  const authority = program.command('authority').description('the authority’s key and what it remembers')
  adminVerb(authority, 'export')
    .description('write the authority to a file, for a backup or a move')
    .argument('<file>', 'is made, readable by you only')
    .addHelpText('before', examples('chatd authority export authority.json'))
    .action(async (file, options) => {
      const data = dataDirectory(options)
      const isRunning = options.admin !== undefined || new DataFiles(data).admin() !== undefined
      const answer = isRunning
        ? await adminCall({ data, url: options.admin, path: '/authority/export' })
        : await exportStopped(data)
      const state = answer as AuthorityState // by node/admin-routes.ts
      writeNew(file, JSON.stringify(state))
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
      const { state, keyPair } = parseAuthority(readFileSync(file, 'utf8'))
      const files = new DataFiles(data)
      if (files.settings().cluster !== state.cluster) {
        throw new ChatError('AUTH_CLUSTER', {
          message: `${data} is no node of the cluster ${state.cluster}; join it first, with a ticket`,
        })
      }
      if (files.authoritySeed())
        throw new ChatError('CLUSTER_STATE', { message: `${data} holds the authority already` })
      await withDatabase(files, (database) => importAuthority(database, state))
      files.writeAuthoritySeed(keyPair.secretKey) // last: without it the rest has no effect
      createOutput(options).result(
        { cluster: state.cluster, data },
        `${data} is the authority from its next start on. Do not start the old one with its key any more.`,
      )
    })
}

const exportStopped = async (data: string): Promise<AuthorityState> => {
  const files = new DataFiles(data)
  const seed = files.authoritySeed()
  if (!seed)
    throw new ChatError('CLUSTER_STATE', {
      message: `${data} does not hold the authority’s key; name the directory that does with --data`,
    })
  return withDatabase(files, (database) => exportAuthority(database, keyPairFromSeed(seed)))
}

type AuthDatabase = Awaited<ReturnType<DataFiles['lock']>>

const withDatabase = async <Result>(
  files: DataFiles,
  work: (database: AuthDatabase) => Promise<Result>,
): Promise<Result> => {
  const lock = await files.lock()
  try {
    const database = await files.disk().openDatabase('auth')
    try {
      return await work(database)
    } finally {
      await database.close()
    }
  } finally {
    await lock.close()
  }
}

/** Never over a file that is there. */
const writeNew = (file: string, text: string): void => {
  try {
    writeFileSync(file, text, { mode: 0o600, flag: 'wx' })
  } catch (cause) {
    throw new ChatError('USAGE', {
      message: `${file} cannot be made: ${cause instanceof Error ? cause.message : ''}`,
      cause,
    })
  }
}
