// chatd start: runs a node in the foreground until it is told to end. SIGTERM and SIGINT drain it, a second one ends it at once.
import { type Command, Option } from '@commander-js/extra-typings'
import { createLogger, type LogLevel } from '../../node/core/log.ts'
import type { ReadyNode, RunningNode } from '../../node/node.ts'
import { asChatError, ChatError } from '../../protocol/errors.ts'
import { createOutput, EXIT_INTERRUPTED, examples, type Output } from '../output.ts'
import { withConfigFile } from './config.ts'
import {
  dataDirectory,
  dataOption,
  jsonOption,
  nameOption,
  parseMembers,
  parseRoles,
  parseSize,
} from './node-options.ts'

const LEVELS = ['debug', 'info', 'warn', 'error'] as const satisfies LogLevel[]

/** `--listen` may be given several times, or in the environment as a list with commas. */
const collect = (text: string, before: string[] | undefined): string[] => [...(before ?? []), ...text.split(',')]

export const registerStart = (program: Command): void => {
  program
    .command('start')
    .description('run a node in the foreground')
    .addHelpText(
      'before',
      examples(
        'chatd start --role all                        # a cluster of one, clients at ws://127.0.0.1:7400',
        'chatd start --role store --join TICKET        # one more node, see chatd ticket',
        'chatd start --role gateway --ws 0.0.0.0:443 --tls-cert cert.pem --tls-key key.pem',
      ),
    )
    .addOption(
      new Option(
        '--role <roles>',
        'what it runs: gateway, router, store, group, media, messages or all; several with commas',
      )
        .env('CHATD_ROLE')
        .argParser(parseRoles),
    )
    .addOption(dataOption())
    .addOption(nameOption())
    .addOption(
      new Option('--join <ticket>', 'join the cluster of this ticket; harmless in a directory that has joined').env(
        'CHATD_JOIN',
      ),
    )
    .addOption(
      new Option('--listen <multiaddr>', 'where peers connect, e.g. /ip4/0.0.0.0/tcp/4001; may be repeated')
        .env('CHATD_LISTEN')
        .argParser(collect),
    )
    .addOption(
      new Option(
        '--announce <multiaddr>',
        'what to tell peers in place of --listen, e.g. behind a NAT; may be repeated',
      )
        .env('CHATD_ANNOUNCE')
        .argParser(collect),
    )
    .addOption(
      new Option('--ws <host:port>', 'where clients connect (default: 127.0.0.1:7400 or the next free port)').env(
        'CHATD_WS',
      ),
    )
    .addOption(
      new Option('--public-ws <url>', 'where clients outside reach this gateway, when that is not --ws').env(
        'CHATD_PUBLIC_WS',
      ),
    )
    .addOption(
      new Option('--admin <host:port>', 'where operators’ commands connect (default: a free port on loopback)').env(
        'CHATD_ADMIN',
      ),
    )
    .addOption(
      new Option('--join-listen <host:port>', 'where new nodes join, on the node with the authority’s key').env(
        'CHATD_JOIN_LISTEN',
      ),
    )
    .addOption(new Option('--open-registration', 'users may register without an invite').env('CHATD_OPEN_REGISTRATION'))
    .addOption(new Option('--tls-cert <file>', 'PEM certificate for wss://').env('CHATD_TLS_CERT'))
    .addOption(new Option('--tls-key <file>', 'PEM key for wss://').env('CHATD_TLS_KEY'))
    .addOption(new Option('--insecure-ws', 'allow plain ws:// beyond this machine').env('CHATD_INSECURE_WS'))
    .addOption(
      new Option('--max-blob <size>', 'the largest attachment that this gateway takes (default: 100MiB)')
        .env('CHATD_MAX_BLOB')
        .argParser(parseSize),
    )
    .addOption(
      new Option('--blob-quota <size>', 'what one user’s attachments may take on this store (default: 1GiB)')
        .env('CHATD_BLOB_QUOTA')
        .argParser(parseSize),
    )
    .addOption(
      new Option('--max-members <count>', 'members that a group may have, on this group node (default: 1000)')
        .env('CHATD_MAX_MEMBERS')
        .argParser(parseMembers),
    )
    .addOption(new Option('--log-level <level>', 'what goes to stderr').choices(LEVELS).env('CHATD_LOG_LEVEL'))
    .addOption(new Option('--config <file>', 'TOML file with these options, named as the flags').env('CHATD_CONFIG'))
    .addOption(new Option('--dial-via <file>', 'dial peers at the addresses of this file').hideHelp())
    .addOption(jsonOption())
    .action(async (flags, command) => {
      const options = withConfigFile(flags, command)
      const output = createOutput(options)
      const { tlsCert, tlsKey } = options
      if ((tlsCert === undefined) !== (tlsKey === undefined)) {
        throw new ChatError('USAGE', { message: '--tls-cert and --tls-key belong together' })
      }
      failLoudly()
      // Loaded here, so that --help and the operators' commands need not wait for libp2p.
      const { startNode } = await import('../../node/node.ts')
      const node = await startNode({
        ...options,
        data: dataDirectory(options),
        roles: options.role,
        openRegistration: options.openRegistration === true,
        insecureWs: options.insecureWs === true,
        tls: tlsCert !== undefined && tlsKey !== undefined ? { cert: tlsCert, key: tlsKey } : undefined,
        log: (name) => createLogger({ level: options.logLevel ?? 'info', fields: { node: name }, json: output.isJson }),
      })
      await serveUntilTold(node, output)
    })
}

const readyText = ({ node, roles, ws, admin, listen }: ReadyNode): string =>
  [`${node} serves ${roles.join(',')}`, ws && `clients ${ws}`, `peers ${listen.join(' ')}`, `admin ${admin}`]
    .filter(Boolean)
    .join(' · ')

/** Resolves once the node has drained. */
const serveUntilTold = (node: RunningNode, output: Output): Promise<void> =>
  new Promise((resolve) => {
    let isEnding = false
    const end = (signal: NodeJS.Signals): void => {
      if (isEnding) process.exit(EXIT_INTERRUPTED)
      isEnding = true
      node.log.info({ signal }, 'draining; the same signal again ends at once')
      void node.stop().then(resolve)
    }
    process.on('SIGTERM', end)
    process.on('SIGINT', end)
    // Last: whoever reads the line may send a signal at once.
    output.event({ event: 'ready', ...node.ready }, readyText(node.ready))
  })

/** What libp2p throws where nobody can catch it when a peer goes away in the middle of something: it ends that stream or connection only. */
const OF_ONE_CONNECTION = new Set([
  'StreamStateError',
  'StreamResetError',
  'StreamAbortedError',
  'StreamClosedError',
  'MuxerClosedError',
  'ConnectionClosedError',
  'ConnectionClosingError',
])

/** What else nobody handled leaves the node in a state that nobody knows: it says so and ends, and its supervisor starts it again. */
const failLoudly = (): void => {
  const fail = (error: unknown): void => {
    const { message, stack = '' } = asChatError(error)
    const isHarmless = error instanceof Error && OF_ONE_CONNECTION.has(error.name)
    const what = isHarmless
      ? 'a peer’s connection ended in the middle of something'
      : 'an error that nobody expected ended this node'
    process.stderr.write(`chatd: ${what}: ${message}\n${stack}\n`)
    if (!isHarmless) process.exit(1)
  }
  process.on('uncaughtException', fail)
  process.on('unhandledRejection', fail)
}
