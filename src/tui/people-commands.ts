// Commands about people and devices.
import { safeTemplate as safe } from '../client/safe-text.ts'
import { isGroupName } from '../protocol/names.ts'
import { aboutUser, type SlashCommand } from './slash-command.ts'
import { step } from './step.ts'

export const peopleCommands: readonly SlashCommand[] = [
  {
    name: 'block',
    takes: safe`[USER]`,
    completes: ['user'],
    help: safe`hide everything of a user, who is not told`,
    run: aboutUser('block'),
  },
  {
    name: 'unblock',
    takes: safe`[USER]`,
    completes: ['user'],
    help: safe`show that user again`,
    run: aboutUser('unblock'),
  },
  {
    name: 'verify',
    takes: safe`[USER]`,
    completes: ['user'],
    help: safe`fingerprints of a user’s devices, to compare by voice`,
    run: aboutUser('verify'),
  },
  {
    name: 'verified',
    takes: safe`[NAME]`,
    completes: ['conversation'],
    help: safe`those fingerprints were the same, or who is in a group that has two histories was compared: what comes later is warned of`,
    run: (state, argument) => {
      const group = argument === '' ? (state.current ?? '') : argument
      return isGroupName(group) ? step(state, { type: 'compared', group }) : aboutUser('verified')(state, argument)
    },
  },
  { name: 'devices', takes: safe``, help: safe`your devices`, run: (state) => step(state, { type: 'devices' }) },
  {
    name: 'link',
    takes: safe`CODE`,
    help: safe`let the new device that shows this code be you`,
    run: (state, code) =>
      code === '' ? safe`/link CODE: the code that the new device shows` : step(state, { type: 'link', code }),
  },
  {
    name: 'revoke',
    takes: safe`DEVICE`,
    completes: ['device'],
    help: safe`end a device of yours, for good; /devices lists them`,
    run: (state, device) =>
      device === '' ? safe`/revoke DEVICE: which of /devices?` : step(state, { type: 'askRevoke', device }),
  },
]
