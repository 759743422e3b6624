// Starts our own programs as processes that outlive us: same Node, no descriptor of the caller, output in a file.
import { spawn } from 'node:child_process'
import { closeSync, openSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ChatError } from '../../protocol/errors.ts'
import { type ProcessRef, processRef } from './process-identity.ts'
import { makeDirectory } from '../../platform/make-directory.ts'

/** The built program, or its source when this file runs from sources. */
export const programPath = (name: 'chatd' | 'chat'): string =>
  fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? `../${name}.ts` : `../../../bin/${name}.js`, import.meta.url))

export interface Detached {
  process: ProcessRef
  /** Size of the output file when it started: what this process writes comes after it. */
  outputFrom: number
}

/** Descriptors other than 0, 1 and 2 are never inherited: Node marks them close-on-exec. */
export const spawnDetached = async (args: string[], output: string): Promise<Detached> => {
  makeDirectory(dirname(output))
  const file = openSync(output, 'a', 0o600)
  try {
    const outputFrom = statSync(output).size
    const child = spawn(process.execPath, args, { detached: true, stdio: ['ignore', file, file], cwd: '/' })
    const pid = await new Promise<number>((resolve, reject) => {
      child.once('error', reject)
      child.once('spawn', () => resolve(child.pid ?? 0))
    })
    child.unref()
    const ref = processRef(pid)
    if (!ref) throw new ChatError('CLUSTER_STATE', { message: `A process ended at once; its output is in ${output}` })
    return { process: ref, outputFrom }
  } finally {
    closeSync(file)
  }
}
