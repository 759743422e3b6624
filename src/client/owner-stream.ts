// A stream of the profile's owner, read from another process of the profile. Throws OwnerGone when the owner ends.
import { asChatError } from '../protocol/errors.ts'
import type { StreamCall, StreamEvent } from './profile-calls.ts'
import { OwnerGone, type ProfileClient } from './profile-client.ts'

/** So far behind the owner a reader may be; then the stream is ended, and asked for anew from where the reader is. */
const MAX_BEHIND = 1_000

export async function* ownerStream<Method extends StreamCall['method']>(
  client: ProfileClient,
  { method, args }: { method: Method; args: unknown[] },
  signal: AbortSignal,
): AsyncGenerator<StreamEvent[Method], void, undefined> {
  for (let from = args; ; ) {
    const last = yield* readOnce(client, { method, args: from }, signal)
    if (!last) return
    if ('position' in last) from = [{ after: last.position }]
  }
}

/** Returns the last event when it was ended because the reader was too far behind. */
async function* readOnce<Method extends StreamCall['method']>(
  client: ProfileClient,
  { method, args }: { method: Method; args: unknown[] },
  signal: AbortSignal,
): AsyncGenerator<StreamEvent[Method], StreamEvent[Method] | undefined, undefined> {
  const queue: StreamEvent[Method][] = []
  const stop = new AbortController()
  let last: StreamEvent[Method] | undefined
  let isBehind = false
  let wake = (): void => {}
  let end: { error?: Error } | undefined
  const options = {
    signal: AbortSignal.any([signal, stop.signal]),
    onEvent: (event: unknown) => {
      queue.push(event as StreamEvent[Method]) // what the owner's stream of this name gives
      isBehind ||= queue.length >= MAX_BEHIND
      if (isBehind) stop.abort()
      wake()
    },
  }
  client.call(method, args, options).then(
    () => ((end = {}), wake()),
    (error: unknown) => ((end = { error: asChatErrorOrGone(error) }), wake()),
  )
  try {
    for (;;) {
      for (let event = queue.shift(); event; event = queue.shift()) {
        last = event
        yield event
      }
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
  return isBehind && !signal.aborted ? last : undefined
}

const asChatErrorOrGone = (error: unknown): Error => (error instanceof OwnerGone ? error : asChatError(error))
