// The program of an owner's thread that crashes when a file `crash` is in the profile's directory: what no real one should do.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { workerData } from 'node:worker_threads'
import { Profile, type ProfileOptions } from '../src/client/profile.ts'

await import('../src/client/owner-program.ts')

const { directory } = new Profile(workerData as ProfileOptions) // as owner-thread.ts gives them
const path = join(directory, 'crash')
const timer = setInterval(() => {
  try {
    rmSync(path)
  } catch {
    return
  }
  throw new Error('a fault of the library')
}, 10)
timer.unref()
