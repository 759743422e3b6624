// Talks to a running node through its admin endpoint. URL and token lie in the node's data directory, so that --data suffices;
// with --admin alone the node says where its directory is, which helps only those who may read the token there.
import { existsSync } from 'node:fs'
import { DataFiles } from '../node/data-files.ts'
import { ChatError, hasCode, type WireError } from '../protocol/errors.ts'

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
export const adminCall = async (call: AdminCall): Promise<unknown> => {
  const { data, url } = call
  const token = process.env.CHATD_ADMIN_TOKEN
  if (token !== undefined) return request(url ?? adminUrlIn(data), token, call)
  if (url === undefined) return request(adminUrlIn(data), tokenIn(data), call)
  return request(url, tokenIn(await directoryOf(url, call)), call)
}

const request = async (
  url: string,
  token: string,
  { path, body, timeoutMs = ANSWER_MS }: AdminCall,
): Promise<unknown> => {
  const response = await fetch(targetOf(url, path), {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${token}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(timeoutMs),
  }).catch((cause: unknown) => {
    throw notRunning(`No node answers at ${url}`, cause)
  })
  const answer: unknown = await response.json().catch((cause: unknown) => {
    throw notRunning(`What answers at ${url} is no chatd node`, cause)
  })
  if (response.ok) return answer
  const error = typeof answer === 'object' && answer !== null && 'error' in answer ? answer.error : {}
  throw ChatError.fromWire(error as Partial<WireError>) // fromWire takes anything
}

const targetOf = (url: string, path: string): URL => {
  const full = /^[a-z]+:\/\//.test(url) ? url : `http://${url}`
  if (URL.canParse(path, full)) return new URL(path, full)
  throw new ChatError('USAGE', {
    message: `${JSON.stringify(url)} is no URL of an admin endpoint, for example http://127.0.0.1:7401`,
  })
}

/** The directory must itself name this URL: whatever answers there must not get the token of another node. */
const directoryOf = async (url: string, call: AdminCall): Promise<string> => {
  try {
    await request(url, '', { ...call, path: '/status', body: undefined })
  } catch (error) {
    const data = hasCode(error, 'AUTH_REQUIRED') && error instanceof ChatError ? error.details?.data : undefined
    if (typeof data !== 'string') throw error
    if (targetOf(url, '/').href === targetOf(adminUrlIn(data), '/').href) return data
  }
  throw new ChatError('AUTH_DENIED', {
    message: `The token of the node at ${url} cannot be found; name its directory with --data`,
  })
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
