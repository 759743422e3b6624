// MB/s of attachments up and down over HTTP, one at a time: through a gateway to its media homes, or, as what to compare with, to a
// plain file server in a process of its own. Encryption is the client's cost and not measured here. Also what it costs the servers.
import { createHash, randomBytes } from 'node:crypto'
import { request as httpRequest } from 'node:http'
import { join } from 'node:path'
import { ChatdTarget } from './chatd-target.ts'
import { cpuSeconds, endChild, residentBytes, startProgram, sum } from './processes.ts'
import type { Measured } from './scenarios.ts'

const BLOB_BYTES = 64 * 1024 * 1024
const WRITE_BYTES = 1024 * 1024
const MB = 1e6

export interface Transfers {
  uploadMBs: number
  downloadMBs: number
  /** CPU seconds of all servers for 1,000 MB. */
  uploadCpu: number
  downloadCpu: number
  /** Above what the largest server had before, in MiB. */
  grownMiB: number
}

interface Door {
  url: string
  token: string
  pids: number[]
  stop: () => Promise<void>
}

const fileServer = async (): Promise<Door> => {
  const { child, line } = await startProgram([join(import.meta.dirname, 'file-server.ts')])
  return { url: String(line.url), token: '', pids: [child.pid ?? 0], stop: () => endChild(child) }
}

const gateway = async ({ server, target }: Measured): Promise<Door> => {
  if (!(target instanceof ChatdTarget)) return fileServer()
  await target.register(['files'])
  const { token, close } = await target.mediaToken('files')
  return { url: server.url.replace(/^ws/, 'http'), token, pids: server.pids, stop: async () => close() }
}

const put = ({ url, token }: Door, id: string, bytes: Buffer): Promise<void> =>
  new Promise((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${token}`,
      'content-length': bytes.length,
      'x-blob-size': bytes.length,
      'x-blob-offset': 0,
    }
    const request = httpRequest(`${url}/blob/${id}`, { method: 'PUT', headers }, (response) => {
      response.resume()
      response.on('end', () =>
        response.statusCode === 201 ? resolve() : reject(new Error(`PUT ${response.statusCode}`)),
      )
    })
    request.on('error', reject)
    const write = (at: number): void => {
      if (at >= bytes.length) request.end()
      else if (request.write(bytes.subarray(at, at + WRITE_BYTES))) setImmediate(() => write(at + WRITE_BYTES))
      else request.once('drain', () => write(at + WRITE_BYTES))
    }
    write(0)
  })

const get = ({ url, token }: Door, id: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const request = httpRequest(`${url}/blob/${id}`, { headers: { authorization: `Bearer ${token}` } }, (response) => {
      let bytes = 0
      response.on('data', (chunk: Buffer) => (bytes += chunk.length))
      response.on('error', reject)
      response.on('end', () => resolve(bytes))
    })
    request.on('error', reject).end()
  })

/** Blobs up, then down, one after the other. */
export const attachments = async (measured: Measured): Promise<Transfers> => {
  const door = await gateway(measured)
  const count = Math.max(2, Math.round(6 * measured.scale))
  const blobs = Array.from({ length: count }, () => randomBytes(BLOB_BYTES))
  const ids = blobs.map((bytes) => createHash('sha256').update(bytes).digest('hex'))
  const cpu = (): number => sum(door.pids.map(cpuSeconds))
  const before = new Map(door.pids.map((pid) => [pid, residentBytes(pid)]))
  let grown = 0
  const look = setInterval(() => {
    for (const pid of door.pids) grown = Math.max(grown, residentBytes(pid) - (before.get(pid) ?? 0))
  }, 50)
  const timed = async (work: () => Promise<void>): Promise<{ mbs: number; cpu: number }> => {
    const [startedAt, cpuBefore] = [performance.now(), cpu()]
    await work()
    const megabytes = (count * BLOB_BYTES) / MB
    const seconds = (performance.now() - startedAt) / 1_000
    return { mbs: megabytes / seconds, cpu: ((cpu() - cpuBefore) / megabytes) * 1_000 }
  }
  try {
    const up = await timed(async () => {
      for (const [i, bytes] of blobs.entries()) await put(door, ids[i] ?? '', bytes)
    })
    const down = await timed(async () => {
      for (const id of ids) {
        const bytes = await get(door, id)
        if (bytes !== BLOB_BYTES) throw new Error(`${bytes} bytes came back`)
      }
    })
    const grownMiB = grown / 2 ** 20
    return { uploadMBs: up.mbs, downloadMBs: down.mbs, uploadCpu: up.cpu, downloadCpu: down.cpu, grownMiB }
  } finally {
    clearInterval(look)
    await door.stop()
  }
}
