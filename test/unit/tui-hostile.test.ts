// deadline: 120s
// 100,000 hostile strings in every place where others' text is drawn, against a headless terminal: no cell outside its box changes,
// no title, no clipboard, no byte of a reply. Seeded; many strings in each frame, so that it takes seconds.
import headless from '@xterm/headless'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { safeLine, safeText } from '../../src/client/safe-text.ts'
import { ANCHOR, anchoredStdout } from '../../src/tui/anchor.ts'
import { layoutOf } from '../../src/tui/layout.ts'
import type { Line } from '../../src/tui/lines.ts'
import { lineText } from '../../src/tui/lines.ts'
import { timelineChange, type TimelineMessage } from '../../src/tui/messages.ts'
import { screenOf } from '../../src/tui/screen-view.ts'
import type { State } from '../../src/tui/state.ts'
import { fresh, NOW, run } from '../tui-state-fixture.ts'

const COUNT = 100_000
const SEED = Number(process.env.HOSTILE_SEED ?? 20_261_126)
const [COLUMNS, ROWS] = [100, 40]

/** mulberry32: small, seeded, good enough to mix pieces. */
const randomOf = (seed: number): (() => number) => {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
const random = randomOf(SEED)
/** From the first to the last, none of which is missing. */
const pick = <T extends string | (() => string)>(values: readonly [T, ...T[]]): T =>
  values[Math.floor(random() * values.length)] ?? values[0]

const ESC = '\x1b'
const pieces: readonly [() => string, ...(() => string)[]] = [
  () => `${ESC}]0;owned\x07`,
  () => `${ESC}]52;c;b3duZWQ=\x07`,
  () => `${ESC}[c${ESC}[6n${ESC}[>c${ESC}[5n${ESC}Z`,
  () => `${ESC}P$q"p${ESC}\\`,
  () => `${ESC}_Gi=1,a=q;AAAA${ESC}\\`,
  () => `${ESC}[${Math.floor(random() * 60)};${Math.floor(random() * 120)}H`,
  () => `${ESC}[2J${ESC}[?1049l${ESC}c`,
  () => `${ESC}[?7h${ESC}[?25l${ESC}[4h${ESC}#8`,
  () => `\x9b${Math.floor(random() * 50)}m\x9d0;x\x9c\x90q\x9c`,
  () => pick(['\r', '\n', '\t', '\b', '\x7f', '\0', '\x05', '\x0e', '\x84', '\x85', '\u2028', '\u2029']),
  () => pick(['\u202e', '\u2066', '\u200f', '\u061c', '\u200b', '\u00ad', '\ufeff', '\u2800', '\u{e0041}', '\u3164']),
  () => 'a'.concat('\u0301'.repeat(Math.floor(random() * 200))),
  () => pick(['你好', '한글', '👨‍👩‍👧‍👦', '👍🏽', '🇨🇭', '⚠️', 'ﷺ', '𒐫', '꧅', '🏳️‍🌈', '\u0e33', '\u1160']),
  () => pick(['\ud800', '\udfff', '\ue000', '\u{10ffff}', '\ufdd0', '\uffff']),
  () => String.fromCodePoint(Math.floor(random() * 0x11_0000)),
  () => 'w'.repeat(Math.floor(random() * 150)),
  () => pick(['hello ', '@alice ', 'x ', '— ', '::', '/quit ']),
]
const hostile = (): string => Array.from({ length: 1 + Math.floor(random() * 4) }, () => pick(pieces)()).join('')

const PER_FRAME = { messages: 24, conversations: 20 }
/** Strings in one frame: sender, text, reaction and problem of each message; name and last text of each conversation; and eight more. */
const STRINGS = PER_FRAME.messages * 4 + PER_FRAME.conversations * 2 + 8

const messageOf = (index: number): TimelineMessage => ({
  id: `m${index}`,
  from: safeLine(hostile(), { maxLength: 64 }),
  isOwn: index % 5 === 0,
  atMs: NOW + index * 1_000,
  text: safeText(hostile()),
  status: index % 10 === 0 ? 'refused' : 'stored',
  problem: safeLine(hostile()),
  reactions: [{ emoji: safeLine(hostile(), { maxLength: 16 }), count: 2, isOwn: false }],
})

/** A change of the group by whoever, of whomever. */
const changeOf = (index: number): TimelineMessage =>
  timelineChange(
    {
      type: 'group',
      id: `c${index}`,
      conversation: 'bob',
      version: index,
      by: hostile(),
      change: pick(['create', 'add', 'remove', 'rename']),
      users: [hostile(), hostile()],
      name: hostile(),
      at: new Date(NOW + index * 1_000).toISOString(),
    },
    'alice',
  )

const frame = (): State => {
  const conversations = Array.from({ length: PER_FRAME.conversations }, (_, index) => ({
    name: index === 0 ? 'bob' : `n${index}`,
    title: safeLine(hostile(), { maxLength: 64 }),
    unread: index % 3,
    firstUnread: undefined,
    activeAtMs: 0,
    mentions: 0,
    isMarked: false,
    level: 'all' as const,
    last: { ...messageOf(index), text: safeText(hostile()) },
  }))
  const messages = Array.from({ length: PER_FRAME.messages }, (_, index) =>
    index % 8 === 7 ? changeOf(index) : messageOf(index),
  )
  const problem = safeLine(hostile(), { maxLength: 120 })
  const connection = {
    state: 'waiting',
    gateway: problem,
    retryInMs: 1,
    queued: 0,
    isComplete: true,
    lagMs: 1,
    transfers: problem,
    problem,
  }
  const { state } = run(
    fresh({ size: { columns: COLUMNS, rows: ROWS }, notices: [hostile()] }),
    { type: 'inbox', conversations },
    { type: 'timeline', conversation: 'bob', messages, gaps: [], hasStart: true },
    { type: 'connection', connection: { ...connection, state: 'waiting' } },
    { type: 'paste', text: hostile().replaceAll('\n', ' ') },
    { type: 'toast', text: safeLine(hostile()), style: 'problem' },
  )
  return state
}

const lookingAt = (state: State): State => {
  const pictures = [0, 1].map((index) => ({ index, name: safeLine(hostile(), { maxLength: 80 }), size: 1 }))
  const note = safeLine(hostile(), { maxLength: 300 })
  return { ...state, overlay: { kind: 'picture', id: 'm0', pictures, at: 0, lines: [], note } }
}

const terminal = new headless.Terminal({ cols: COLUMNS, rows: ROWS, allowProposedApi: true })
const caught: string[] = []
terminal.onTitleChange((title) => caught.push(`title ${title}`))
terminal.onData((data) => caught.push(`reply ${JSON.stringify(data)}`))
terminal.onBell(() => caught.push('bell'))
terminal.onLineFeed(() => caught.push('line feed'))
terminal.parser.registerOscHandler(52, () => Boolean(caught.push('clipboard')))
const write = (text: string): Promise<void> => new Promise((resolve) => terminal.write(text, resolve))
const rowText = (row: number): string => terminal.buffer.active.getLine(row)?.translateToString(false) ?? ''

const MARK = '#'
const marks = (cells: number): string => MARK.repeat(Math.max(0, cells))
interface Drawn {
  text: string
  /** The cells of its box, and how many are to its left; what is right of it is put in its place by an anchor. */
  width: number
  left: number
}
/** Each line in its box, in a row of marks, written as the client writes: no wrapping, the list on the left before an anchor. */
const drawn = async (boxes: readonly Drawn[]): Promise<void> => {
  const room = ROWS - 1
  for (let from = 0; from < boxes.length; from += room) {
    const part = boxes.slice(from, from + room)
    const rows = part.map(({ text, width, left }, row) => {
      const behind = COLUMNS - left - width
      const rest = behind > 0 ? `${ANCHOR}${marks(behind - 1)}` : ''
      return `${ESC}[${row + 1};1H${ESC}[2K${marks(left)}${text}${anchored(rest, left + width + 1)}`
    })
    await write(`${ESC}[?7l${rows.join('')}${ESC}[${ROWS};1H${marks(COLUMNS)}`)
    for (const [row, { text, width, left }] of part.entries()) {
      const shown = rowText(row)
      const isWhole = shown.startsWith(marks(left)) && shown.endsWith(marks(COLUMNS - left - width - 1))
      if (!isWhole) assert.unreachable(`seed ${SEED}: ${JSON.stringify(text)} left its box: ${shown}`)
    }
    assert.is(rowText(ROWS - 1), marks(COLUMNS), `seed ${SEED}`)
  }
}
/** What the stream of the client makes of anchors. */
const anchored = (text: string, column: number): string => {
  let written = ''
  // The cast: only write is used of it.
  const stream = { write: (chunk: string) => Boolean((written += chunk)) } as unknown as NodeJS.WriteStream
  anchoredStdout(stream, () => column).write(text)
  return written
}

test(`${COUNT} hostile strings stay in their boxes`, async () => {
  let strings = 0
  while (strings < COUNT) {
    const state = frame()
    strings += STRINGS
    const { sidebarColumns, timelineColumns } = layoutOf(state)
    const screen = screenOf(state)
    const inBox = (lines: readonly Line[], width: number, left = 0): Drawn[] =>
      lines.map((each) => ({ text: lineText(each), width, left }))
    await drawn([
      ...inBox([screen.header, ...screen.notices, screen.status], COLUMNS),
      ...inBox(screen.sidebar, sidebarColumns),
      ...inBox(screen.main, timelineColumns, COLUMNS - timelineColumns),
      ...inBox(screen.composer.lines, COLUMNS),
      ...inBox(screen.toast ? [screen.toast] : [], COLUMNS),
      ...inBox(screenOf(lookingAt(state)).main, COLUMNS),
    ])
    if (caught.length > 0) assert.unreachable(`seed ${SEED}: ${caught.join(', ')}`)
  }
  terminal.dispose()
})

test.run()
