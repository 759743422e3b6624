// Messages: sending, changing what was sent, reacting, who has read one, and text from and to other programs.
import { basename } from 'node:path'
import { uuidv7 } from 'uuidv7'
import { type SafeText, safeLine, safeTemplate as safe, safeText } from '../client/safe-text.ts'
import { asChatError, hasCode } from '../protocol/errors.ts'
import { clipboardBytes } from './clipboard.ts'
import { editText } from './editor.ts'
import type { EffectTools, Runners } from './effect-tools.ts'
import { span } from './lines.ts'
import { absolutePath } from './paths.ts'
import type { Effect, ListRow } from './state.ts'
import { shortTime } from './times.ts'

/** How long the reason of a refusal is awaited; the message itself stays in the outbox as long as it takes. */
const SEND_TIMEOUT_MS = 24 * 3_600_000

const send = async (
  { chat, store, clock, signal, loading }: EffectTools,
  { conversation, text, reply, files = [] }: Extract<Effect, { type: 'send' }>,
): Promise<void> => {
  const id = uuidv7()
  const answers = reply === undefined ? {} : { reply }
  const message = {
    id,
    from: safeLine(chat.user),
    isOwn: true,
    atMs: clock.now(),
    text: safeText([text, ...files.map((path) => `[file ${basename(path)}]`)].filter((part) => part !== '').join('\n')),
    status: 'sending',
    ...answers,
  } as const
  store.dispatch({ type: 'pending', pending: { conversation, message } })
  const attached = files.length === 0 ? {} : { files: files.map(absolutePath) }
  const options = { wait: 'stored', timeoutMs: SEND_TIMEOUT_MS, signal, ...answers, ...attached } as const
  try {
    await chat.send(conversation, text, { id, ...options })
  } catch (error) {
    const { code, message: reason } = asChatError(error)
    // Late is not lost: it is in the outbox, and the history says how it stands. What is in the history beats what is said here.
    if (signal.aborted || code === 'TIMEOUT') return
    store.dispatch({ type: 'sendFailed', id, problem: safeLine(reason, { maxLength: 300 }) })
  } finally {
    if (!signal.aborted) loading.refresh()
  }
}

/** It is in the outbox and goes on from there: that nobody answered yet is no failure. */
const unlessLate = async (work: Promise<unknown>): Promise<void> => {
  await work.catch((error: unknown) => {
    if (!hasCode(error, 'TIMEOUT')) throw error
  })
}

const receiptRow = (
  { user, receivedAt, readAt }: { user: string; receivedAt: string | null; readAt: string | null },
  nowMs: number,
): ListRow => {
  const when = (at: string): SafeText => shortTime(Date.parse(at), nowMs)
  const text = readAt ? safe` read ${when(readAt)}` : receivedAt ? safe` received ${when(receivedAt)}` : safe` not yet`
  return { line: [span(safeLine(user), 'name'), span(text, readAt ? 'seen' : 'dim')] }
}

type MessageEffect = 'send' | 'editMessage' | 'deleteMessage' | 'react' | 'receipts' | 'copy' | 'edit'

export const messageRunners = (tools: EffectTools): Runners<MessageEffect> => {
  const { chat, store, clock, signal, say, list, write, withTerminal } = tools
  const options = { wait: 'stored', timeoutMs: SEND_TIMEOUT_MS, signal } as const
  return {
    send: (effect) => send(tools, effect),
    editMessage: ({ id, text }) => unlessLate(chat.edit(id, text, options)),
    deleteMessage: ({ id }) => unlessLate(chat.delete(id, options)),
    react: ({ id, emoji }) => unlessLate(chat.react(id, emoji, options)),
    receipts: async ({ id }) => {
      const { storedAt, recipients } = await chat.status(id)
      const stored = storedAt === null ? 'not stored yet' : `stored ${shortTime(Date.parse(storedAt), clock.now())}`
      list(
        `Who has this message: ${stored}`,
        recipients.map((recipient) => receiptRow(recipient, clock.now())),
      )
    },
    copy: ({ text }) => {
      const bytes = clipboardBytes(text, { tmux: process.env.TMUX !== undefined })
      if (bytes === undefined) return say(safe`That message is too long for the clipboard of a terminal.`)
      write(bytes)
      say(safe`Copied, where the terminal allows it.`)
    },
    edit: async ({ conversation, text }) => {
      await withTerminal(async () => {
        const edited = await editText(text, { env: process.env, signal })
        store.dispatch({ type: 'edited', conversation, text: edited })
      })
    },
  }
}
