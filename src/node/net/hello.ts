// The only protocol a stranger gets: one message each way, in which both sides show their newest signed map.
// The one that dialed shows its map first; the other adopts it if it is newer, and answers with its own newest.
// So nodes that missed maps find back, in any order of starting.
import type { Stream } from '@libp2p/interface'
import { lpStream } from '@libp2p/utils'
import { asChatError } from '../../protocol/errors.ts'
import type { Logger } from '../../platform/ports.ts'
import type { ClusterView } from '../core/ports.ts'

export const HELLO_PROTOCOL = '/chatd/hello/1'
export const HELLO_MS = 2_000
const MAX_MAP_BYTES = 1024 * 1024
const framing = { maxDataLength: MAX_MAP_BYTES, maxBufferSize: MAX_MAP_BYTES + 16 }

/** The dialer's part. Throws when the other side does not answer in time, or shows what is no map of this cluster. */
export const sayHello = async (stream: Stream, view: ClusterView): Promise<void> => {
  const signal = AbortSignal.timeout(HELLO_MS)
  try {
    const messages = lpStream(stream, framing)
    await messages.write(view.current().sealed, { signal })
    const shown = await messages.read({ signal })
    view.adopt(Uint8Array.from(shown.subarray()))
    await stream.close({ signal })
  } catch (error) {
    stream.abort(asChatError(error))
    throw error
  }
}

/** The other part. True when the exchange was completed; whoever is shown nonsense answers nothing. */
export const answerHello = async (stream: Stream, view: ClusterView, log: Logger): Promise<boolean> => {
  const signal = AbortSignal.timeout(HELLO_MS)
  try {
    const messages = lpStream(stream, framing)
    const shown = await messages.read({ signal })
    view.adopt(Uint8Array.from(shown.subarray()))
    await messages.write(view.current().sealed, { signal })
    await stream.close({ signal })
    return true
  } catch (error) {
    stream.abort(asChatError(error))
    log.debug({ error: asChatError(error).message }, 'a hello came to nothing')
    return false
  }
}
