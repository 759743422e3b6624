// Waiting in tests: asks again until the condition holds, and says what it waited for when it never does.

export interface EventuallyOptions {
  timeoutMs?: number
  everyMs?: number
  what?: string
}

/** Resolves with the first truthy answer of `condition`; a condition that throws counts as not yet true. */
export async function eventually<T>(condition: () => T | Promise<T>, options: EventuallyOptions = {}): Promise<T> {
  const { timeoutMs = 5_000, everyMs = 5, what = condition.toString() } = options
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
