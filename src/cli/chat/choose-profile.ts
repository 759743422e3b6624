// Which profile `chat tui` opens when nobody said so: `default` when it is there, else one of those on this machine, or a new one.
// It must not know terminals: terminal-questions.ts does.
import { isUserName } from '../../protocol/names.ts'

export interface ChoicePorts {
  /** What was typed, trimmed; `usual` when that is nothing. */
  ask: (question: string, usual: string) => Promise<string>
  say: (line: string) => void
}

/** `profiles`: those here that are somebody, at least one. */
export const chooseProfile = async (
  { ask, say }: ChoicePorts,
  profiles: readonly { profile: string; user: string }[],
): Promise<string> => {
  say('Profiles on this machine:')
  for (const { profile, user } of profiles) say(profile === user ? `  ${profile}` : `  ${profile} (user ${user})`)
  const [only] = profiles
  const usual = profiles.length === 1 && only ? only.profile : ''
  for (;;) {
    const name = await ask('Which one? Any other name begins a new profile', usual)
    if (isUserName(name)) return name
    say('A profile is named like a user: a-z, 0-9, dot, underscore, dash')
  }
}
