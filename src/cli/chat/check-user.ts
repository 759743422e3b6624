// Tells "nothing here" from "there is no such user" (of a group the client itself knows). For commands that know the cluster to be there: offline it would wait.
import type { Chat } from '../../client/api.ts'
import { ChatError, hasCode } from '../../protocol/errors.ts'
import { isGroupName, isUserName } from '../../protocol/names.ts'

/** USER_UNKNOWN when the cluster says so, AUTH_NAME_ILLEGAL for what can be no user. */
export const checkUser = async (chat: Chat, user: string): Promise<void> => {
  if (isGroupName(user)) return
  if (!isUserName(user)) throw new ChatError('AUTH_NAME_ILLEGAL')
  try {
    await chat.fingerprints(user)
  } catch (error) {
    if (hasCode(error, 'USER_UNKNOWN')) throw error
  }
}
