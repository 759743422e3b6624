// Who owns a profile: the chat over its database, and the socket through which every other program of the profile calls it.
// Where it runs, in a program's own turns or on a thread beside them, is the business of who opens it.
import type { Database } from '../platform/ports.ts'
import type { OwnerChat } from './api.ts'
import { ProfileServer } from './profile-server.ts'

export interface ProfileOwner {
  chat: OwnerChat
  server: ProfileServer
}

/** Serves the chat from the socket on. Who cannot serve must not keep the others out: then the database is closed again. */
export const serveProfile = async (
  database: Database,
  { openChat, socketPath }: { openChat: (database: Database) => Promise<OwnerChat>; socketPath: string },
): Promise<ProfileOwner> => {
  let chat: OwnerChat | undefined
  try {
    chat = await openChat(database)
    const server = new ProfileServer(chat)
    await server.listen(socketPath)
    return { chat, server }
  } catch (error) {
    await (chat ?? database).close()
    throw error
  }
}

export const closeOwner = async ({ chat, server }: ProfileOwner): Promise<void> => {
  await server.close()
  await chat.close()
}
