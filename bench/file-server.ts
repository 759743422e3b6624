// A plain HTTP file server, what attachments are measured against: PUT streams into a file and fsyncs it, GET streams it back.
import { createReadStream, createWriteStream, mkdtempSync, rmSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'

const dir = mkdtempSync(join(tmpdir(), 'chatd-files-'))
const server = createServer((request, response) => {
  const path = join(dir, (request.url ?? '').replaceAll('/', '_'))
  const answer = async (): Promise<void> => {
    if (request.method === 'PUT') {
      await pipeline(request, createWriteStream(path, { flush: true }))
      response.writeHead(201).end()
      return
    }
    response.writeHead(200, { 'content-length': statSync(path).size })
    await pipeline(createReadStream(path), response)
  }
  answer().catch(() => response.destroy())
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (typeof address === 'object' && address) console.log(JSON.stringify({ url: `http://127.0.0.1:${address.port}` }))
})
process.on('SIGTERM', () => {
  rmSync(dir, { recursive: true, force: true })
  process.exit(0)
})
