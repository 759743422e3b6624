// Claims a directory for chatd's data: 0700, writable, and ours. A directory with foreign files in it is refused, never written to.

import { accessSync, chmodSync, constants, existsSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ChatError } from '../protocol/errors.ts'
import { makeDirectory } from './make-directory.ts'

/** Its presence says that chatd made this directory. */
const TAG_FILE = 'CHATD'
const TAG_TEXT = 'This directory holds data of chatd, format 1. Do not edit or mix it with other files.\n'
/** What file systems put into fresh directories by themselves. */
const HARMLESS = new Set(['lost+found', '.DS_Store'])

const refuse = (path: string, why: string, remedy: string, cause?: unknown): ChatError =>
  new ChatError('DATA_DIRECTORY', {
    message: `The data directory ${path} cannot be used: ${why}; ${remedy}`,
    details: { path },
    ...(cause === undefined ? {} : { cause }),
  })

/** Makes `path` if needed and marks it as ours. May be called again. DATA_DIRECTORY says what, why and what to do. */
export const claimDataDirectory = (path: string): void => {
  try {
    makeDirectory(path)
  } catch (cause) {
    throw refuse(
      path,
      `it cannot be made (${reasonOf(cause)})`,
      'choose another with --data, or change its owner',
      cause,
    )
  }
  if (!statSync(path).isDirectory()) throw refuse(path, 'it is a file', 'choose another with --data')
  try {
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (cause) {
    throw refuse(path, 'this user may not read and write it', 'choose another with --data, or change its owner', cause)
  }
  if (isDataDirectory(path)) return
  const foreign = readdirSync(path).filter((name) => !HARMLESS.has(name))
  if (foreign.length > 0) {
    throw refuse(
      path,
      `it holds files that are not chatd’s (${foreign.slice(0, 3).join(', ')})`,
      'choose an empty one with --data',
    )
  }
  try {
    chmodSync(path, 0o700)
    writeFileSync(join(path, TAG_FILE), TAG_TEXT, { mode: 0o600 })
  } catch (cause) {
    throw refuse(path, `it cannot be written (${reasonOf(cause)})`, 'free space or change its owner', cause)
  }
}

/** Whether `path` was claimed before. */
export const isDataDirectory = (path: string): boolean => existsSync(join(path, TAG_FILE))

/** Any failure to open what lies in `path`, in words for an operator. */
export const dataDirectoryError = (path: string, cause: unknown): ChatError => {
  if (cause instanceof ChatError) return cause
  const reason = reasonOf(cause)
  if (/LEVEL_LOCKED|already held by process|Resource temporarily unavailable/.test(reason)) {
    return refuse(path, 'another process has it open', 'end that process, or choose another with --data', cause)
  }
  return refuse(path, reason, 'check the disk, its free space and its permissions', cause)
}

/** The text of an error with the texts and codes of its causes: the first one is often only "not open". */
const reasonOf = (cause: unknown): string => {
  const parts: string[] = []
  for (let error = cause; error instanceof Error; error = error.cause) {
    const code = 'code' in error && typeof error.code === 'string' ? `${error.code}: ` : ''
    parts.push(error.message.startsWith(code) ? error.message : `${code}${error.message}`)
  }
  return parts.length > 0 ? parts.join(': ') : String(cause)
}
