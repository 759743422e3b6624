// The configuration file of chatd start: TOML with the same names as the flags. Flags and environment win over it.
import type { CommandUnknownOpts } from '@commander-js/extra-typings'
import { parse } from 'smol-toml'
import { ChatError } from '../../protocol/errors.ts'
import { readTextFile } from '../text-file.ts'

const usage = (message: string, cause?: unknown): ChatError =>
  new ChatError('USAGE', { message, ...(cause === undefined ? {} : { cause }) })

const readToml = (path: string): Record<string, unknown> => {
  const text = readTextFile(path)
  try {
    return parse(text)
  } catch (cause) {
    throw usage(
      `The configuration file ${path} is not TOML: ${cause instanceof Error ? cause.message.split('\n')[0] : ''}`,
      cause,
    )
  }
}

/** As the flag would take it: a list is a repeated flag. */
const textsOf = (value: unknown, key: string): string[] => {
  const values = Array.isArray(value) ? value : [value]
  return values.map((each) => {
    if (typeof each === 'string' || typeof each === 'number') return String(each)
    throw usage(`${key} in the configuration file is neither text nor a list of texts`)
  })
}

/** The options, completed from the file of `--config`; USAGE for an unknown key, with the keys there are. */
export const withConfigFile = <Options extends { config?: string | undefined }>(
  options: Options,
  command: Pick<CommandUnknownOpts, 'options' | 'getOptionValueSource'>,
): Options => {
  if (options.config === undefined) return options
  const completed: Record<string, unknown> = { ...options }
  for (const [key, value] of Object.entries(readToml(options.config))) {
    const option = command.options.find((candidate) => candidate.long === `--${key}` && key !== 'config')
    if (!option) {
      const known = command.options.filter(({ hidden }) => !hidden).map(({ long }) => long?.slice(2))
      throw usage(`There is no ${key} in the configuration of a node; there are ${known.join(', ')}`)
    }
    const name = option.attributeName()
    const source = command.getOptionValueSource(name)
    if (source !== undefined && source !== 'default') continue
    if (!option.required) {
      if (typeof value !== 'boolean') throw usage(`${key} in the configuration file is true or false`)
      completed[name] = value
    } else {
      let parsed: unknown
      for (const text of textsOf(value, key))
        parsed = option.parseArg ? option.parseArg(text, parsed as undefined) : text // collects
      completed[name] = parsed
    }
  }
  return completed as Options // every value went through its option's own parser
}
