// Waiting in tests: asks again until the condition holds, and says what it waited for when it never does. The patience is for
// machines that are busy with other things: it costs nothing where all goes well, so no test should make it shorter.

/** Far longer than anything takes: what is late is not wrong. */
const PATIENCE_MS = 60_000

let patience = PATIENCE_MS

/** How long tests wait for what has to come, in milliseconds; also for calls that take a timeout. */
export const patienceMs = (): number => patience
/** Only for tests of what has to fail: they would wait in vain. */
export const setPatience = (ms = PATIENCE_MS): void => {
  patience = ms
}

export interface EventuallyOptions {
  timeoutMs?: number
  everyMs?: number
  what?: string
}

/** Resolves with the first truthy answer of `condition`; a condition that throws counts as not yet true. */
export async function eventually<T>(condition: () => T | Promise<T>, options: EventuallyOptions = {}): Promise<T> {
  const { timeoutMs = patience, everyMs = 5, what = condition.toString() } = options
  const deadline = Date.now() + timeoutMs
  for (;;) {
    let last: unknown
    try {
      const value = await condition()
      if (value) return value
      last = value
    } catch (error) {
      last = error
    }
    if (Date.now() > deadline) throw new Error(`not true within ${timeoutMs} ms: ${what} (last: ${String(last)})`)
    await new Promise((resolve) => setTimeout(resolve, everyMs))
  }
}
