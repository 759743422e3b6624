// The first start of the terminal client without a profile: asks for a gateway, then makes a new user, or this device one more of
// a user that exists. What is wrong with an answer is said, and only that is asked again. It must not know terminals.
import type { ErrorCode } from '../../client/index.ts'
import { safeLine } from '../../client/safe-text.ts'
import { asChatError } from '../../protocol/errors.ts'

export interface Answers {
  gateway: string
  name: string
  invite: string
}
export interface FirstRunPorts {
  /** What was typed, trimmed; `usual` when that is nothing. */
  ask: (question: string, usual: string) => Promise<string>
  say: (line: string) => void
  register: (answers: Answers) => Promise<{ user: string }>
  /** Resolves when another device has approved the code. */
  link: (options: { gateway: string; onCode: (code: string) => void }) => Promise<{ user: string }>
  /** A picture of a code, for the camera of another device. */
  picture: (code: string) => readonly string[]
}
export interface FirstRunOptions {
  /** Not asked for at first. */
  known: Partial<Answers>
  /** What Enter means. */
  usual: Pick<Answers, 'gateway' | 'name'>
}

const questions = {
  gateway: 'Address of a gateway',
  way: 'Are you new here, or is this another device of yours? (new, link)',
  name: 'Your name (a-z, 0-9, dot, underscore, dash)',
  invite: 'Invite (from the operator of the cluster)',
} as const

/** Which answer an error is about; what is not here ends the asking. */
const asksAgain: Partial<Record<ErrorCode, keyof Answers>> = {
  NET_UNAVAILABLE: 'gateway',
  NET_TIMEOUT: 'gateway',
  NET_CLOSED: 'gateway',
  NET_INSECURE: 'gateway',
  USAGE: 'gateway',
  AUTH_NAME_TAKEN: 'name',
  AUTH_NAME_ILLEGAL: 'name',
  AUTH_INVITE: 'invite',
}

const sayCode = ({ say, picture }: FirstRunPorts, code: string): void => {
  for (const line of picture(code)) say(line)
  say(`The code of this device: ${code}`)
  say(`On a device of yours type /link ${code} into the terminal client, or run chat link --approve ${code}`)
  say('waiting for that … (Ctrl-C ends it)')
}

const isLinking = async ({ ask, say }: FirstRunPorts): Promise<boolean> => {
  for (;;) {
    const way = (await ask(questions.way, 'new')).toLowerCase()
    if (way === 'new' || way === 'link') return way === 'link'
    say('Type new or link.')
  }
}

export const firstRun = async (ports: FirstRunPorts, options: FirstRunOptions): Promise<{ user: string }> => {
  const { ask, say, register, link } = ports
  const { known, usual } = options
  const gateway = known.gateway ?? (await ask(questions.gateway, usual.gateway))
  const links = known.name === undefined && (await isLinking(ports))
  const name = known.name ?? (links ? '' : await ask(questions.name, usual.name))
  const answers: Answers = { gateway, name, invite: known.invite ?? '' }
  for (;;) {
    try {
      if (!links) say('registering …')
      const joined = links
        ? await link({ gateway: answers.gateway, onCode: (code) => sayCode(ports, code) })
        : await register(answers)
      say(`You are ${joined.user}.`)
      return joined
    } catch (error) {
      const { code, message } = asChatError(error)
      const about = asksAgain[code]
      if (about === undefined) throw error
      say(safeLine(message, { maxLength: 300 }))
      // Enter tries a gateway again; what is no address is not worth it.
      const again = code === 'USAGE' ? usual.gateway : answers.gateway
      answers[about] = await ask(questions[about], about === 'gateway' ? again : '')
    }
  }
}
