// How a device of the simulator gets its certificate: by registration, or by linking with the approval of another device, with the
// client's own code; and again and again until it has one.
import { link, register, type RegistrationOptions } from '../../src/client/registration.ts'
import { ChatError } from '../../src/protocol/errors.ts'
import { sleep } from '../../src/platform/timing.ts'

const AGAIN_MS = 300
const APPROVAL_MS = 12_000

export interface Enrolment extends RegistrationOptions {
  /** Claims a name, or asks a device of its user for approval. */
  by: { name: string } | { approve: (code: string) => Promise<unknown> | undefined }
}

export const enrol = async (enrolment: Enrolment): Promise<Uint8Array> => {
  for (;;) {
    try {
      return await tryOnce(enrolment)
    } catch (error) {
      if (!(error instanceof ChatError) || !error.retryable) throw error
      await sleep(enrolment.clock, AGAIN_MS)
    }
  }
}

const tryOnce = async ({ by, ...options }: Enrolment): Promise<Uint8Array> => {
  if ('name' in by) return (await register(options, by)).certificate
  const { approve } = by
  let isOver = false
  const onCode = async (code: string): Promise<void> => {
    while (!isOver) {
      // The approver may be down or die over it, and the authority may have forgotten the code.
      await Promise.race([approve(code)?.catch(() => undefined), sleep(options.clock, APPROVAL_MS)])
      await sleep(options.clock, AGAIN_MS)
    }
  }
  try {
    return (await link(options, { onCode: (code) => void onCode(code) })).certificate
  } finally {
    isOver = true
  }
}
