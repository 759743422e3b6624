// Talks to a running node through its admin endpoint. URL and token lie in the node's data directory, so that --data suffices.
import { existsSync } from 'node:fs'
import { DataFiles } from '../node/data-files.ts'
import { ChatError, type WireError } from '../protocol/errors.ts'

const ANSWER_MS = 30_000

export interface AdminCall {
  /** The node's data directory. */
  data: string
  /** In place of the URL that the directory names. */
  url?: string | undefined
  path: string
  /** With a body it is a POST. */
  body?: unknown
  timeoutMs?: number
}

/** The node's answer, or its error; NET_UNAVAILABLE when no node answers there. */
export const adminCall = async ({ data, url, path, body, timeoutMs = ANSWER_MS }: AdminCall): Promise<unknown> => {
  const token = process.env.CHATD_ADMIN_TOKEN ?? tokenIn(data)
  const target = url ?? adminUrlIn(data)
  const response = await fetch(new URL(path, target), {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${token}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(timeoutMs),
  }).catch((cause: unknown) => {
    throw notRunning(`No node answers at ${target}`, cause)
  })
  const answer: unknown = await response.json().catch((cause: unknown) => {
    throw notRunning(`What answers at ${target} is no chatd node`, cause)
  })
  if (response.ok) return answer
  const error = typeof answer === 'object' && answer !== null && 'error' in answer ? answer.error : {}
  throw ChatError.fromWire(error as Partial<WireError>) // fromWire takes anything
}

const notRunning = (what: string, cause?: unknown): ChatError =>
  new ChatError('NET_UNAVAILABLE', {
    message: `${what}; start it with chatd start, or name another with --data or --admin`,
    cause,
  })

/** Never makes the directory: a command about a node must not leave one behind. */
const filesIn = (data: string): DataFiles => {
  if (existsSync(data)) return new DataFiles(data)
  throw notRunning(`There is no node’s data directory at ${data}`)
}

const adminUrlIn = (data: string): string => {
  const admin = filesIn(data).admin()
  if (admin) return admin.url
  throw notRunning(`The node of ${data} does not run`)
}

const tokenIn = (data: string): string =>
  filesIn(data).token(() => {
    throw notRunning(`The node of ${data} has never run`)
  })
