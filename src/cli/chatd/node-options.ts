// What the verbs about one node share: where its data are, roles, durations.
import { join, resolve } from 'node:path'
import { type Command, InvalidArgumentError, Option } from '@commander-js/extra-typings'
import envPaths from 'env-paths'
import { type Role, roles as allRoles } from '../../protocol/cluster-map.ts'

const DEFAULT_NAME = 'main'

/** `--data`, else the XDG data directory of this name. */
export const dataDirectory = ({ data, name }: { data?: string | undefined; name?: string | undefined }): string =>
  resolve(data ?? join(envPaths('chatd', { suffix: '' }).data, name ?? DEFAULT_NAME))

export const dataOption = () =>
  new Option('--data <dir>', 'data directory of the node (default: the XDG data directory, chatd/NAME)').env(
    'CHATD_DATA',
  )
export const nameOption = () => new Option('--name <name>', 'name of the node').env('CHATD_NAME')
export const jsonOption = () => new Option('--json', 'print JSON')

/** A verb that talks to a running node. */
export const adminVerb = <const Usage extends string>(program: Command, usage: Usage) =>
  program
    .command(usage)
    .addOption(dataOption())
    .addOption(nameOption())
    .addOption(
      new Option('--admin <url>', 'admin endpoint of the node (default: the one its data directory names)').env(
        'CHATD_ADMIN_URL',
      ),
    )
    .addOption(jsonOption())

/** `gateway,router` or `all`. */
export const parseRoles = (text: string): Role[] => {
  const names = text === 'all' ? [...allRoles] : text.split(',').map((name) => name.trim())
  const isRole = (name: string): name is Role => allRoles.some((role) => role === name)
  const unknown = names.filter((name) => !isRole(name))
  if (unknown.length > 0)
    throw new InvalidArgumentError(`There is no role ${unknown.join(', ')}; there are ${allRoles.join(', ')} and all.`)
  return [...new Set(names.filter(isRole))]
}

const UNITS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Ten years: what expires later is for ever. */
const MAX_LIFETIME_MS = 3_650 * 86_400_000

/** `500ms 30s 5m 1h 7d`, in milliseconds. */
export const parseLifetime = (text: string): number => {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text)
  const unit = UNITS[match?.[2] ?? '']
  if (!match || unit === undefined)
    throw new InvalidArgumentError('A duration is a number with a unit: 500ms, 30s, 5m, 1h, 7d.')
  const ms = Number(match[1]) * unit
  if (ms > 0 && ms <= MAX_LIFETIME_MS) return ms
  throw new InvalidArgumentError('It is more than nothing and at most 3650d.')
}

const SIZES: Record<string, number> = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 }
/** Less than one chunk of a file, or more than this, is a typing error. */
const MIN_SIZE = 64 * 2 ** 10
const MAX_SIZE = 2 ** 40

/** `64KiB 10MiB 1GiB`, in bytes. */
export const parseSize = (text: string): number => {
  const match = /^(\d+(?:\.\d+)?)(B|KiB|MiB|GiB)$/.exec(text)
  const unit = SIZES[match?.[2] ?? '']
  if (!match || unit === undefined)
    throw new InvalidArgumentError('A size is a number with a unit: 64KiB, 10MiB, 1GiB.')
  const bytes = Math.floor(Number(match[1]) * unit)
  if (bytes >= MIN_SIZE && bytes <= MAX_SIZE) return bytes
  throw new InvalidArgumentError('It is at least 64KiB and at most 1024GiB.')
}

export const parsePositive = (text: string): number => {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('It is a whole number above 0.')
  return Number(text)
}

/** The whole state of a group is one record: 2,000 members of the longest names are what it holds. */
export const parseMembers = (text: string): number => {
  const count = /^\d{1,4}$/.test(text) ? Number(text) : 0
  if (count < 2 || count > 2_000) throw new InvalidArgumentError('a whole number from 2 to 2000')
  return count
}
