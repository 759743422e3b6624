// The first start of the terminal client without a profile: asks for gateway and name until a registration succeeds.
// What is wrong with an answer is said, and only that is asked again. It must not know terminals: terminal-questions.ts does.
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
}

const questions: Record<keyof Answers, string> = {
  gateway: 'Address of a gateway',
  name: 'Your name (a-z, 0-9, dot, underscore, dash)',
  invite: 'Invite (from the operator of the cluster)',
}

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

/** `known` is not asked for at first; `usual` is what Enter means. */
export const firstRun = async (
  { ask, say, register }: FirstRunPorts,
  { known, usual }: { known: Partial<Answers>; usual: Pick<Answers, 'gateway' | 'name'> },
): Promise<{ user: string }> => {
  say('This profile is new: it becomes a device of a new user. (For a user that exists: Ctrl-C, then chat link.)')
  const answers: Answers = {
    gateway: known.gateway ?? (await ask(questions.gateway, usual.gateway)),
    name: known.name ?? (await ask(questions.name, usual.name)),
    invite: known.invite ?? '',
  }
  for (;;) {
    try {
      say('registering …')
      const registered = await register(answers)
      say(`You are ${registered.user}.`)
      return registered
    } catch (error) {
      const { code, message } = asChatError(error)
      const about = asksAgain[code]
      if (about === undefined) throw error
      say(safeLine(message, { maxLength: 300 }))
      answers[about] = await ask(questions[about], about === 'gateway' ? answers.gateway : '')
    }
  }
}
