// What the registers of the group ledger can hold at all. A home whose disk or program is wrong, or who lies, must not get anything else
// decided: it would be what everybody is given from then on. Whether a version may be made is for members to judge; this is its form.
import { fromUtf8 } from '../../protocol/bytes.ts'
import { ChatError } from '../../protocol/errors.ts'
import { openGroup } from '../../protocol/group.ts'
import { isGroupId } from '../../protocol/names.ts'
import { RECORD_KEY_BYTES } from '../../protocol/records.ts'
import { openRegisterName } from './ledger-keys.ts'

/** A version of that group and number; the id of a group for a name; record keys for what was open at a version. */
export const isSoundValue = (key: string, value: Uint8Array): boolean => {
  const { place, version } = openRegisterName(key)
  try {
    if (!version) return place === key ? isGroupId(fromUtf8(value)) : value.length % RECORD_KEY_BYTES === 0
    const { header } = openGroup(value)
    return header.to === version.group && header.v === version.version
  } catch (error) {
    if (error instanceof ChatError) return false
    throw error
  }
}
