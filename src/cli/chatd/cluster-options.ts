// What all `chatd cluster` verbs share: the directory of the cluster, and how they print.
import { resolve } from 'node:path'
import { type Command, InvalidArgumentError } from '@commander-js/extra-typings'

/** Where `npm start` has its cluster too, so that inside the clone the verbs drive that one. */
const DEFAULT_DIRECTORY = '.chatd'

export const clusterDirectory = (given: string | undefined): string =>
  resolve(given ?? process.env.CHATD_CLUSTER ?? DEFAULT_DIRECTORY)

/** A verb of `chatd cluster` with the options that each has. */
export const clusterVerb = <const Usage extends string>(cluster: Command, usage: Usage) =>
  cluster
    .command(usage)
    .option('--dir <dir>', 'directory of the cluster (CHATD_CLUSTER, else ./.chatd)')
    .option('--json', 'print JSON')

export const parseCount = (text: string): number => {
  if (!/^\d{1,3}$/.test(text)) throw new InvalidArgumentError('It is a whole number below 1000.')
  return Number(text)
}

/** `store-1,store-2`. */
export const parseNames = (text: string): string[] => text.split(',').filter((name) => name !== '')
