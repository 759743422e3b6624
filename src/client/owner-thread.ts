// The owner of a profile on a thread beside its program, so that network, cryptography and disk never wait for what the program draws,
// nor it for them. It is called through the profile's socket, like an owner in another process. A thread that crashes is
// told of; whoever calls next (shared-role.ts) starts another, which goes on from what is on disk.
import { Worker } from 'node:worker_threads'
import { ChatError, type WireError } from '../protocol/errors.ts'
import type { ProfileOptions } from './profile.ts'

/** One that crashes at once must not keep a core busy. */
const RESTART_MS = 500
/** What it still has to write it has written by then. */
const CLOSE_MS = 5_000

const PROGRAM = new URL(`./owner-program${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url)

/** The one word that the thread says: it listens, another process has the profile, or why it cannot open it. */
export type OwnerWord = { owns: boolean } | { error: WireError }

export interface OwnerThreadPorts {
  options: ProfileOptions
  onCrash: (error: Error) => void
  /** What runs on the thread. */
  program?: URL
}

export class OwnerThread {
  readonly #ports: OwnerThreadPorts
  #worker: Worker | undefined
  #starting: Promise<void> | undefined
  #hasCrashed = false

  constructor(ports: OwnerThreadPorts) {
    this.#ports = ports
  }

  /** Resolves when the socket of the profile may be called: this thread listens there, or another process has the profile. */
  start(): Promise<void> {
    this.#starting ??= this.#start()
    return this.#starting
  }

  async close(): Promise<void> {
    await this.#starting?.catch(() => {}) // told to who started it
    const worker = this.#worker
    if (!worker) return
    const ended = new Promise((resolve) => worker.once('exit', resolve))
    worker.postMessage('close')
    const timer = setTimeout(() => void worker.terminate(), CLOSE_MS)
    await ended
    clearTimeout(timer)
  }

  async #start(): Promise<void> {
    if (this.#hasCrashed) await new Promise((resolve) => setTimeout(resolve, RESTART_MS))
    const { program = PROGRAM, options, onCrash } = this.#ports
    // What it prints would be on the screen; what the program itself was started with is not meant for it.
    const worker = new Worker(program, {
      workerData: options,
      execArgv: [],
      stdout: true,
      stderr: true,
    })
    this.#worker = worker
    await new Promise<void>((resolve, reject) => {
      worker.on('message', (word: OwnerWord) => ('error' in word ? reject(ChatError.fromWire(word.error)) : resolve()))
      worker.on('error', (error) => {
        this.#hasCrashed = true
        const known = error instanceof Error ? error : new Error(String(error))
        reject(known)
        onCrash(known)
      })
      worker.on('exit', () => {
        this.#worker = undefined
        this.#starting = undefined
        reject(new Error('The thread of the profile ended before it began'))
      })
    })
  }
}
