// Every bound of the system that both sides must know, with its unit in its name and its reason beside it.

export const limits = {
  /** Text of one message: what a person can paste; larger things are files. */
  maxTextBytes: 64 * 1024,
  /** A sealed record: header and signature besides the text (JSON body of 64 KiB of control characters is six times as long, hence bodies are not JSON). */
  maxRecordBytes: 96 * 1024,
  /** A WebSocket frame: base64 of the largest record fits with room. */
  maxFrameBytes: 256 * 1024,
  maxFragments: 16,
  /** Before authentication nothing larger than a certificate and a proof is sent. */
  maxUnauthenticatedFrameBytes: 16 * 1024,
  unauthenticatedMs: 10_000,
  maxUnauthenticatedSockets: 1_000,
  maxSockets: 50_000,
  /** Bytes waiting for a slow client; past it pushes stop and the client reads its feed at its own pace. */
  maxBufferedBytesPerClient: 1024 * 1024,
  /** Requests of one session under way; further ones are refused with a retryable error. */
  maxInFlightPerSession: 1_024,
  /** Sessions of one device at one gateway: its programs share one, so more are left-overs, or somebody who wants to wear us out. */
  maxSessionsPerDevice: 100,
  /** Records a device may put per second, in the long run and at once. */
  recordsPerSecond: 2_000,
  recordBurst: 4_000,
  /** `at` may be this far ahead of a gateway's clock: clocks of laptops are off by minutes. */
  maxAheadMs: 30 * 60_000,
  defaultRetentionMs: 365 * 24 * 3_600_000,
  certificateMs: 90 * 24 * 3_600_000,
  /** A capability bounds how long a revoked device can be served across a partition. */
  capabilityMs: 10 * 60_000,
  capabilityRenewMs: 4 * 60_000,
  /** Clocks may be ten minutes wrong either way, so two of them twice that apart: so much longer is a capability taken. */
  clockSkewMs: 20 * 60_000,
  /** One RPC frame between peers; libp2p's read buffer is 4 MiB. */
  maxPeerFrameBytes: 1024 * 1024,
  /** Bytes sent to one peer and not yet answered; one slow peer must not hold the memory of all. */
  maxInFlightBytesPerPeer: 16 * 1024 * 1024,
  maxFeedPageKeys: 1_000,
  maxFetchKeys: 250,
  maxFetchBytes: 512 * 1024,
  maxReceiptRanges: 200,
  /** Members of a group, unless the operator says otherwise: each message is written once for each of them. */
  maxGroupMembers: 1_000,
  /** One line above the messages; every version carries it. */
  maxTopicBytes: 1024,
  /** Copies of messages to groups that one user may cause per second, in the long run and at once: ten and a hundred messages to 500 members. */
  groupCopiesPerSecond: 5_000,
  groupCopyBurst: 50_000,
  leaseCacheMs: 5_000,
  leaseGraceMs: 8_000,
  hedgeMs: 30,
  rpcTimeoutMs: 3_000,
  appendTimeoutMs: 5_000,
  noticeMs: 50,
  noticeFetchMs: 100,
  headsMs: 5_000,
  /** Users whose presence one session is told: those whom a person looks at, not everybody. */
  maxWatched: 200,
  /** How old presence may be: routers are asked so often, for all users together. */
  presenceMs: 3_000,
  /** Typing of this long goes in one message to each gateway, and is believed for so long without another word. */
  typingBatchMs: 500,
  typingMs: 6_000,
  gapHoldMs: 2_000,
  /** Of a deletion that names attachments, and of the certificate with it: the homes of those attachments keep both. */
  maxTombstoneBytes: 4 * 1024,
  /** Of a message. Their names, keys and previews fit into a record besides the longest text. */
  maxAttachments: 16,
  /** Of all previews of a message together, as base64: they are stored with the message, and shown before anything is downloaded. */
  maxPreviewBytes: 16 * 1024,
  /** A file that is attached, unless the operator says otherwise. */
  defaultMaxFileBytes: 100 * 1024 * 1024,
  /** Bytes of blobs in one request between nodes: half of a frame, eight chunks of a file. */
  maxBlobPieceBytes: 512 * 1024,
  /** A disk that others keep busy. */
  blobWriteTimeoutMs: 15_000,
  /** Until some hundred MiB are on a slow disk. */
  blobFinishTimeoutMs: 60_000,
  /** What one user's uploads may take on a media home, unless the operator says otherwise. */
  defaultBlobQuotaBytes: 1024 * 1024 * 1024,
  /** A blob without a message is kept for so long: uploads that were broken off go on, and messages that wait are sent. */
  unpinnedBlobMs: 24 * 3_600_000,
  /** The greatest sequence number and time: they take six bytes in keys. A greater one would break whoever files it. */
  maxNumber: 2 ** 48 - 1,
} as const
