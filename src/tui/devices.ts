// The devices of this user, as /revoke has them: which can be ended, and what is asked before. Pure.
import type { DeviceReport } from '../client/api.ts'
import { type SafeText, safeLine, safeTemplate as safe } from '../client/safe-text.ts'
import type { Candidate } from './completion.ts'

const shown = (device: string): SafeText => safeLine(device, { maxLength: 40 })

/** This one comes last: whoever ends a device mostly means another. */
export const deviceCandidates = (devices: readonly DeviceReport[], typed: string): Candidate[] =>
  devices
    .filter(({ device, revoked }) => !revoked && device.startsWith(typed))
    .sort((a, b) => Number(a.current) - Number(b.current))
    .map(({ device, current }) => ({
      text: `${device} `,
      label: current ? safe`${shown(device)} (this)` : shown(device),
    }))

export const revokeQuestion = (
  devices: readonly DeviceReport[],
  wanted: string,
): { question: SafeText } | { problem: SafeText } => {
  const found = devices.find(({ device }) => device === wanted)
  if (!found) return { problem: safe`You have no device ${shown(wanted)}; /devices lists them` }
  if (found.revoked) return { problem: safe`The device ${shown(wanted)} was ended before` }
  const question = found.current
    ? safe`End THIS device, ${shown(wanted)}, for good? You cannot go on here then.`
    : safe`End the device ${shown(wanted)} for good?`
  return { question }
}
