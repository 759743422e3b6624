// A stream of the profile's owner, read from another process of the profile. Throws OwnerGone when the owner ends.
import { asChatError } from '../protocol/errors.ts'
import type { StreamCall, StreamEvent } from './profile-calls.ts'
import { OwnerGone, type ProfileClient } from './profile-client.ts'

export async function* ownerStream<Method extends StreamCall['method']>(
  client: ProfileClient,
  { method, args }: { method: Method; args: unknown[] },
  signal: AbortSignal,
): AsyncGenerator<StreamEvent[Method], void, undefined> {
  const queue: StreamEvent[Method][] = []
  const stop = new AbortController()
  let wake = (): void => {}
  let end: { error?: Error } | undefined
  const options = {
    signal: AbortSignal.any([signal, stop.signal]),
    onEvent: (event: unknown) => {
      queue.push(event as StreamEvent[Method]) // what the owner's stream of this name gives
      wake()
    },
  }
  client.call(method, args, options).then(
    () => ((end = {}), wake()),
    (error: unknown) => ((end = { error: asChatErrorOrGone(error) }), wake()),
  )
  try {
    for (;;) {
      for (let event = queue.shift(); event; event = queue.shift()) yield event
      if (end) break
      await new Promise<void>((resolve) => {
        wake = resolve
        if (queue.length > 0 || end) resolve()
      })
    }
  } finally {
    stop.abort()
  }
  if (end.error) throw end.error
}

const asChatErrorOrGone = (error: unknown): Error => (error instanceof OwnerGone ? error : asChatError(error))
