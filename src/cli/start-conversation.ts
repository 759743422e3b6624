// `npm start` without a terminal: people talk through real nodes, step by step, and every message must be read in the end.
// Shows direct and offline delivery, a file, a group, and the three states that a sender sees.
import type { Chat, SendOptions, SendResult } from '../client/api.ts'
import { connect } from '../client/index.ts'
import { ChatError } from '../protocol/errors.ts'
import { playAttachment } from './start-attachment.ts'
import type { LocalCluster } from './start-cluster.ts'
import { playGroup } from './start-group.ts'

/** Far longer than any step takes, for machines that are busy. */
const STEP_MS = 60_000

const say = (text: string): void => void process.stdout.write(`${text}\n`)
const clock = (at: string | null): string => (at === null ? 'not yet' : at.slice(11, 23))
const states = ({ storedAt, receivedAt, readAt }: SendResult): string =>
  `stored ${clock(storedAt)}, received ${clock(receivedAt)}, read ${clock(readAt)}`

interface Reader {
  stop: () => void
  done: Promise<void>
}

/** Prints and marks as read what arrives after what its last reader read, until stopped. */
const readAll = (chat: Chat, positions: Map<string, number>): Reader => {
  const stop = new AbortController()
  const after = positions.get(chat.user) ?? 0
  const read = async (): Promise<void> => {
    for await (const event of chat.events({ after, signal: stop.signal })) {
      positions.set(chat.user, event.position)
      if (event.type !== 'message' || event.from === chat.user) continue
      say(`  ${chat.user} reads: ${event.text}`)
      await chat.markRead(event.conversation)
    }
  }
  return { stop: () => stop.abort(), done: read() }
}

export const playConversation = async ({ home, gateway }: LocalCluster): Promise<void> => {
  const join = (name: string): Promise<Chat> => connect({ home, profile: name, gateway, register: name })
  const sent: { by: Chat; id: string }[] = []
  const positions = new Map<string, number>()
  const send = async (
    by: Chat,
    to: string,
    text: string,
    options: Pick<SendOptions, 'wait' | 'files'>,
  ): Promise<SendResult> => {
    say(`${by.user} to ${to}: ${text}`)
    const result = await by.send(to, text, { ...options, timeoutMs: STEP_MS })
    sent.push({ by, id: result.id })
    say(`  ${states(result)}`)
    return result
  }

  const alice = await join('alice')
  let bob = await join('bob')
  const carol = await join('carol')
  try {
    say('alice, bob and carol are registered, each with a device key of their own')
    let reader = readAll(bob, positions)
    await send(alice, 'bob', 'Hello Bob, are you there?', { wait: 'read' })
    reader.stop()
    await reader.done
    await bob.close()
    say('bob goes away')
    await send(alice, 'bob', 'You will find this when you are back.', { wait: 'stored' })
    await send(alice, 'bob', 'And this.', { wait: 'stored' })
    bob = await join('bob')
    say('bob is back')
    reader = readAll(bob, positions)
    const aliceReader = readAll(alice, positions)
    await send(bob, 'alice', 'I have both, thank you.', { wait: 'read' })
    const sendFile = (files: string[]) => send(alice, 'bob', 'Here is what we measured.', { wait: 'read', files })
    say(`  ${await playAttachment(bob, sendFile)}`)
    const carolReader = readAll(carol, positions)
    await playGroup({ alice, carol, say, send, clock })
    await allRead(sent, alice)
    const readers = [reader, aliceReader, carolReader]
    for (const { stop } of readers) stop()
    await Promise.all(readers.map(({ done }) => done))
    say(`every message was read: ${sent.length} of ${sent.length}`)
  } finally {
    await alice.close()
    await bob.close()
    await carol.close()
  }
}

/** Waits for the receipts of the messages that were sent while their recipient was away. */
const allRead = async (sent: { by: Chat; id: string }[], alice: Chat): Promise<void> => {
  const deadline = performance.now() + STEP_MS
  for (const { by, id } of sent) {
    if (by !== alice) continue
    for (;;) {
      const { recipients, storedAt } = await alice.status(id)
      if (recipients.every(({ readAt }) => readAt)) {
        for (const recipient of recipients) {
          say(`  status of ${id}: ${recipient.user}: ${states({ ...EMPTY, storedAt, ...recipient })}`)
        }
        break
      }
      if (performance.now() > deadline)
        throw new ChatError('TIMEOUT', { message: `Message ${id} was not read in time` })
      await changed(alice)
    }
  }
}
const EMPTY: SendResult = {
  id: '',
  to: '',
  conversation: '',
  status: 'read',
  storedAt: null,
  receivedAt: null,
  readAt: null,
}

const RECHECK_MS = 200
const changed = (chat: Chat): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      stop()
      clearTimeout(timer)
      resolve()
    }
    const stop = chat.onChange(done)
    const timer = setTimeout(done, RECHECK_MS)
  })
