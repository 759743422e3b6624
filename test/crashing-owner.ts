// The program of an owner's thread that crashes when a file `crash` is in the profile's directory: what no real one should do.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { workerData } from 'node:worker_threads'

await import(new URL('../dist/client/owner-program.js', import.meta.url).href)

const { home, profile } = workerData as { home: string; profile: string } // as client-beside.test.ts gives them
const path = join(home, profile, 'crash')
const timer = setInterval(() => {
  try {
    rmSync(path)
  } catch {
    return
  }
  throw new Error('a fault of the library')
}, 10)
timer.unref()
