// chatd cluster logs: what a node wrote, and with -f what it goes on to write.
import { closeSync, existsSync, openSync, readSync } from 'node:fs'
import type { Command } from '@commander-js/extra-typings'
import { systemClock } from '../../platform/system.ts'
import { sleep } from '../../platform/timing.ts'
import { logFile, requireNode, requireState } from '../cluster/state.ts'
import { examples } from '../output.ts'
import { clusterDirectory } from './cluster-options.ts'
import { parsePositive } from './node-options.ts'

const POLL_MS = 200
const CHUNK_BYTES = 64 * 1024
const PROXY = 'proxy'

export const registerLogsVerb = (cluster: Command): void => {
  cluster
    .command('logs <node>')
    .description('print what a node wrote (`proxy`: the links between them)')
    .option('--dir <dir>', 'directory of the cluster (CHATD_CLUSTER, else ./.chatd)')
    .option('-f, --follow', 'go on printing what is added, until interrupted')
    .option('-n, --lines <count>', 'only the last lines', parsePositive)
    .addHelpText('before', examples('chatd cluster logs gateway-1 -n 50', 'chatd cluster logs store-2 -f'))
    .action(async (node, options) => {
      const dir = clusterDirectory(options.dir)
      if (node !== PROXY) requireNode(requireState(dir), node)
      const path = logFile(dir, node)
      let from = 0
      const isFirst = (): boolean => from === 0
      do {
        const text = existsSync(path) ? readFrom(path, from) : Buffer.alloc(0)
        process.stdout.write(isFirst() ? lastLines(text, options.lines) : text)
        from += text.length
        if (options.follow) await sleep(systemClock, POLL_MS)
      } while (options.follow)
    })
}

const readFrom = (path: string, from: number): Buffer => {
  const file = openSync(path, 'r')
  try {
    const chunks: Buffer[] = []
    for (let at = from; ; ) {
      const chunk = Buffer.alloc(CHUNK_BYTES)
      const size = readSync(file, chunk, 0, chunk.length, at)
      if (size === 0) return Buffer.concat(chunks)
      chunks.push(chunk.subarray(0, size))
      at += size
    }
  } finally {
    closeSync(file)
  }
}

const lastLines = (text: Buffer, count: number | undefined): Buffer => {
  if (count === undefined) return text
  let at = text.length - 1
  for (let found = 0; at > 0 && found < count; at--) if (text[at - 1] === 0x0a) found += 1
  return text.subarray(at <= 0 ? 0 : at + 1)
}
