// The names of registers: `n:#ops` belongs to a group id; `g:<id>/<v>` is version v of a group; `g:<id>/<v>/closed` are the record keys
// (32 bytes each) of what was still on its way to the members of v when v+1 took its place. What stands before the first slash says
// where it is kept: with the mailbox of that name.
import { ChatError } from '../../protocol/errors.ts'
import { limits } from '../../protocol/limits.ts'
import { groupMailbox, isGroupId, isGroupName } from '../../protocol/names.ts'

export const nameRegister = (name: string): string => `n:${name}`
export const versionRegister = (group: string, version: number): string => `${groupMailbox(group)}/${version}`
export const closedRegister = (group: string, version: number): string => `${versionRegister(group, version)}/closed`

export interface RegisterName {
  /** What is hashed to find its homes. */
  place: string
  /** Of the register of a version. */
  version?: { group: string; version: number }
}

/** RPC_INVALID for what no register is called. */
export const openRegisterName = (key: string): RegisterName => {
  const [place = '', version = '', closed, ...rest] = key.split('/')
  const text = place.slice(2)
  if (place.startsWith('n:') && isGroupName(text) && key === place) return { place }
  const number = Number(version)
  const isVersion = Number.isInteger(number) && number >= 1 && number <= limits.maxNumber && String(number) === version
  const isOfGroup = place.startsWith('g:') && isGroupId(text) && isVersion && rest.length === 0
  if (!isOfGroup || (closed !== undefined && closed !== 'closed')) {
    throw new ChatError('RPC_INVALID', { message: 'There is no register of that name' })
  }
  return closed === undefined ? { place, version: { group: text, version: number } } : { place }
}
