// About people and devices: blocking, comparing fingerprints, one's own devices.
import type { AttentionLevel, DeviceFingerprint, DeviceReport } from '../client/api.ts'
import { type SafeText, safeLine, safeTemplate as safe } from '../client/safe-text.ts'
import type { EffectTools, Runners } from './effect-tools.ts'
import { deviceCandidates, revokeQuestion } from './devices.ts'
import { span } from './lines.ts'
import type { ListRow } from './state.ts'

const deviceRow = (device: DeviceReport): ListRow => {
  const state = device.revoked ? safe` revoked` : device.current ? safe` (this)` : safe``
  const [since, expires] = [safeLine(device.since.slice(0, 10)), safeLine(device.expires.slice(0, 10))]
  return {
    line: [span(safeLine(device.device), 'name'), span(state, 'unread'), span(safe`  ${since} to ${expires}`, 'dim')],
  }
}

/** In two rows: in a narrow terminal too it is seen whole. */
const halvesOf = (fingerprint: string): string[] => {
  const words = fingerprint.split(' ')
  const middle = Math.ceil(words.length / 2)
  return [words.slice(0, middle), words.slice(middle)].map((half) => half.join(' '))
}
const fingerprintRows = ({ device, fingerprint, verified }: DeviceFingerprint): ListRow[] => [
  {
    line: [
      span(safeLine(device), 'name'),
      verified ? span(safe`  compared`, 'seen') : span(safe`  not compared`, 'dim'),
    ],
  },
  ...halvesOf(fingerprint).map((half) => ({ line: [span(safeLine(half))] })),
]

const levelTexts: Record<AttentionLevel, SafeText> = {
  all: safe`draws attention with every message`,
  mentions: safe`draws attention only when it names you`,
  none: safe`draws no attention any more`,
}

type PeopleEffect =
  | 'verified'
  | 'setLevel'
  | 'markUnread'
  | 'block'
  | 'unblock'
  | 'devices'
  | 'completeDevice'
  | 'askRevoke'
  | 'revoke'
  | 'verify'
  | 'link'

export const peopleRunners = ({ chat, store, say, list }: EffectTools): Runners<PeopleEffect> => ({
  setLevel: async ({ conversation, level, isBegun = false }) => {
    const now = await chat.setLevel(conversation, level, { begun: isBegun })
    if (isBegun) store.dispatch({ type: 'begunLevel', conversation, level: now })
    say(safe`${safeLine(conversation)} ${levelTexts[now]}.`)
  },
  markUnread: ({ conversation }) => chat.markUnread(conversation),
  block: async ({ user }) => {
    await chat.block(user)
    say(safe`${safeLine(user)} is blocked and not told; /unblock ${safeLine(user)} undoes it.`)
  },
  unblock: async ({ user }) => {
    await chat.unblock(user)
    say(safe`${safeLine(user)} is not blocked any more.`)
  },
  devices: async () => list('Your devices', (await chat.devices()).map(deviceRow)),
  completeDevice: async ({ typed, from, draft }) => {
    store.dispatch({ type: 'completed', from, draft, candidates: deviceCandidates(await chat.devices(), typed) })
  },
  askRevoke: async ({ device }) => {
    const asked = revokeQuestion(await chat.devices(), device)
    if ('problem' in asked) return store.dispatch({ type: 'toast', text: asked.problem, style: 'problem' })
    store.dispatch({ type: 'question', question: asked.question, effect: { type: 'revoke', device } })
  },
  revoke: async ({ device }) => {
    await chat.revoke(device)
    say(safe`The device ${safeLine(device, { maxLength: 40 })} is ended.`)
  },
  verify: async ({ user }) => {
    const devices = await chat.fingerprints(user)
    const isCompared = devices.length > 0 && devices.every(({ verified }) => verified)
    const how = isCompared ? 'you compared them' : `compare, then /verified ${user}`
    list(`Devices of ${user}: ${how}`, devices.flatMap(fingerprintRows))
  },
  verified: async ({ user }) => {
    const { length } = await chat.verify(user)
    const count = length === 1 ? safe`the device` : safe`${length} devices`
    say(safe`You compared ${count} of ${safeLine(user)}: one that comes later is warned of.`)
  },
  link: async ({ code }) => {
    const { device } = await chat.approveLink(code)
    say(safe`The device ${safeLine(device)} is yours now.`)
  },
})
