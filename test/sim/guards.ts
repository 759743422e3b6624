// While a run lasts nobody may ask the real world for time, timers or randomness: it would not replay. Whoever does gets an error
// that names him.
import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import { cheapCrypto } from './cheap-crypto.ts'

const forbidden =
  (what: string): (() => never) =>
  () => {
    throw new Error(`${what} was used inside a simulation: use the port`)
  }

const RealDate = Date
class GuardedDate extends RealDate {
  // A date of a given moment is fine, the present one is not.
  constructor(...given: [] | [number | string | Date]) {
    if (given.length === 0) forbidden('new Date()')()
    super(...(given as [number]))
  }
}

const replace = (target: object, name: string, value: unknown): (() => void) => {
  const before = Object.getOwnPropertyDescriptor(target, name)
  Object.defineProperty(target, name, { configurable: true, writable: true, value })
  return () => {
    if (before) Object.defineProperty(target, name, before)
    else Reflect.deleteProperty(target, name)
  }
}

/**
 * Node keeps what its own makes, and all that listens to it, until it is aborted: which nobody does for a process that was killed,
 * so whole clusters of past runs would stay.
 */
const anySignal = (signals: AbortSignal[]): AbortSignal => {
  const either = new AbortController()
  for (const signal of signals) {
    if (signal.aborted) either.abort(signal.reason)
    else signal.addEventListener('abort', () => either.abort(signal.reason), { once: true })
  }
  return either.signal
}

const GUARDED: [object, string[]][] = [
  [Math, ['random']],
  [performance, ['now']],
  [crypto, ['randomBytes', 'randomUUID', 'randomFillSync', 'randomInt']],
  [crypto.webcrypto, ['getRandomValues', 'randomUUID']],
  [AbortSignal, ['timeout']],
  [globalThis, ['setTimeout', 'setInterval']],
]

export const withGuards = async <T>(work: () => Promise<T>): Promise<T> => {
  const undo = GUARDED.flatMap(([target, names]) => names.map((name) => replace(target, name, forbidden(name))))
  Object.assign(GuardedDate, { now: forbidden('Date.now') })
  undo.push(replace(globalThis, 'Date', GuardedDate), replace(AbortSignal, 'any', anySignal))
  for (const [name, value] of Object.entries(cheapCrypto())) undo.push(replace(crypto, name, value))
  syncBuiltinESMExports()
  try {
    return await work()
  } finally {
    for (const back of undo.reverse()) back()
    syncBuiltinESMExports()
  }
}
