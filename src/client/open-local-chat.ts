// Opens the Chat of a profile over its database, with everything of this machine that it needs: the one place that joins them.
import { fromBase64 } from '../protocol/bytes.ts'
import { isSealedByAside } from '../protocol/sealed.ts'
import { type Database, type Logger, silentLogger } from '../platform/ports.ts'
import { systemClock, systemRandom } from '../platform/system.ts'
import type { OwnerChat } from './api.ts'
import { HttpBlobs } from './blob-http.ts'
import { Identity } from './identity.ts'
import { Ledger } from './ledger.ts'
import { LocalChat } from './local-chat.ts'
import { localFiles } from './local-files.ts'
import type { Profile } from './profile.ts'
import { webSocketDial } from './websocket.ts'

/** PROFILE_MISSING. */
export const openLocalChat = async (
  profile: Profile,
  { insecure = false, log = silentLogger }: { insecure?: boolean; log?: Logger },
  database: Database,
): Promise<OwnerChat> => {
  const data = profile.known()
  const identity = new Identity({
    cluster: data.cluster,
    secretKey: profile.seed(),
    sealed: fromBase64(data.certificate),
  })
  const ledger = new Ledger(profile.ledgerPath)
  const chat = new LocalChat(
    {
      clock: systemClock,
      random: systemRandom,
      database,
      dial: webSocketDial({ insecure }),
      isSealedBy: isSealedByAside,
      log,
      attachments: { blobs: new HttpBlobs(), files: localFiles },
    },
    {
      identity,
      gateways: data.gateways,
      onGateways: (urls) => profile.rememberGateways(urls, { first: false }),
      onCertificate: (sealed) => profile.rememberCertificate(sealed),
      onStored: (id) => ledger.add(id),
    },
  )
  await chat.open()
  return chat
}
