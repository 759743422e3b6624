// Tells "nothing here" from "there is no such user", where the cluster can be asked.
import type { Chat } from '../../client/api.ts'
import { hasCode } from '../../protocol/errors.ts'

/** USER_UNKNOWN when the cluster says so; offline nothing is known. */
export const checkUser = async (chat: Chat, user: string): Promise<void> => {
  const { state } = await chat.connection()
  if (state !== 'online') return
  try {
    await chat.fingerprints(user)
  } catch (error) {
    if (hasCode(error, 'USER_UNKNOWN')) throw error
  }
}
