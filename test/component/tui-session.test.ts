// The terminal client without its terminal: state, session and a Chat with 100,000 messages. What is held stays bounded, and the view
// hangs on its message while pages come and go.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { silentLogger } from '../../src/platform/ports.ts'
import { systemClock } from '../../src/platform/system.ts'
import type { Notification } from '../../src/tui/attention.ts'
import { ChatError } from '../../src/protocol/errors.ts'
import { createInputDecoder } from '../../src/tui/input.ts'
import { lineText } from '../../src/tui/lines.ts'
import { conversationNamed } from '../../src/tui/listing.ts'
import { MAX_LOADED } from '../../src/tui/messages.ts'
import { screenText } from '../../src/tui/screen-view.ts'
import { Session } from '../../src/tui/session.ts'
import { parseSettings } from '../../src/tui/settings.ts'
import { initialState } from '../../src/tui/state.ts'
import { createStore, type Store } from '../../src/tui/store.ts'
import { eventually } from '../eventually.ts'
import { FakeChat } from '../tui-fake-chat.ts'

const COUNT = 100_000
const PAGE_UP = '\x1b[5~'
const PAGE_DOWN = '\x1b[6~'
const ALT_END = '\x1b[1;3F'

interface Opened {
  chat: FakeChat
  store: Store
  type: (keys: string) => void
  screen: () => string
  /** Titles of notifications. */
  notified: string[]
  /** Ids in the order of the conversation. */
  ids: string[]
}

const withSession =
  (run: (opened: Opened) => Promise<void>, count = COUNT, clock = systemClock) =>
  async (): Promise<void> => {
    const chat = new FakeChat('alice', { atMs: Date.UTC(2026, 0, 1) })
    const ids = Array.from({ length: count }, (_, index) => chat.receive('bob', `text ${index + 1}.`).id)
    await chat.markRead('bob')
    const size = { columns: 60, rows: 60 }
    const store = createStore(initialState({ user: 'alice', profile: 'alice', notices: [], size, nowMs: Date.now() }))
    const ending = new AbortController()
    const nothing = (): void => {}
    const notified: string[] = []
    const ports = {
      quit: nothing,
      askGraphics: () => Promise.reject(new Error('there is no terminal')),
      stop: async () => {},
      log: silentLogger,
      redraw: nothing,
      write: nothing,
      notify: ({ title }: Notification) => void notified.push(title),
      cluster: undefined,
      downloads: () => '/nonexistent',
      keepSetting: async (name: string, value: unknown) => parseSettings(`${name} = ${JSON.stringify(value)}`),
      isLive: true,
      hasColours: false,
    }
    const withTerminal = (work: () => Promise<void>): Promise<void> => work()
    new Session({ chat, store, clock, signal: ending.signal, withTerminal, ...ports }).start()
    const decoder = createInputDecoder()
    const type = (keys: string): void =>
      [...decoder.push(keys), ...decoder.flush()].forEach((event) => store.dispatch(event))
    const screen = (): string => screenText(store.getState())
    try {
      await eventually(() => screen().includes(`text ${count}.`))
      await run({ chat, store, type, screen, notified, ids })
    } finally {
      ending.abort()
    }
  }

const loaded = (store: Store): number => store.getState().timeline?.messages.length ?? 0
const isIdle = (store: Store): boolean => store.getState().timeline?.isLoading === false

test(
  'paging far up holds no more than the bound, and the way down meets the newest again',
  withSession(async ({ chat, store, type, screen }) => {
    for (let page = 0; page < 60; page++) {
      type(PAGE_UP)
      await eventually(() => isIdle(store))
      assert.ok(loaded(store) <= MAX_LOADED)
    }
    assert.is(store.getState().timeline?.hasEnd, false)
    const seen = screen()
    chat.receive('bob', 'news')
    await eventually(() => (store.getState().inbox?.[0]?.unread ?? 0) > 0)
    assert.is(screen(), seen.replace('  newer below', '  1 new below'))
    for (let page = 0; page < 70; page++) {
      type(PAGE_DOWN)
      await eventually(() => isIdle(store))
    }
    assert.match(screen(), /news/)
    assert.ok(store.getState().timeline?.hasEnd)
    assert.ok(loaded(store) <= MAX_LOADED)
  }),
)

test(
  'a message far back is shown with what is around it, without what lies between',
  withSession(async ({ store, type, screen, ids }) => {
    type('/search text 1234.\r')
    await eventually(() => store.getState().overlay?.kind === 'list')
    type('\r')
    await eventually(() => /── found ─+\n[^]*text 1234\./.test(screen()))
    assert.ok(loaded(store) < 1_000)
    assert.match(screen(), /text 1235\./)
    type('\x13r')
    type('an answer\r')
    await eventually(() => /an answer {2}✓/.test(screen()))
    assert.match(screen(), new RegExp(`text ${ids.length}\\.`))
  }),
)

test(
  'a message of one’s own far back still changes its state',
  withSession(async ({ chat, store, type, screen }) => {
    const { id } = await chat.send('bob', 'mine', { id: 'own' })
    for (let index = 0; index < 400; index++) chat.receive('bob', `later ${index}`)
    await eventually(() => screen().includes('later 399'))
    chat.receive('bob', 'look', { reply: id })
    await eventually(() => screen().includes('look'))
    type('\x13\r')
    await eventually(() => /mine {2}✓\n/.test(screen()))
    type(ALT_END)
    await eventually(() => screen().includes('look'))
    type('\x13\r')
    await eventually(() => /mine {2}✓\n/.test(screen()))
    chat.setStatus(id, 'read')
    await eventually(() => /mine {2}✓✓ read\n/.test(screen()))
    assert.ok(loaded(store) <= MAX_LOADED)
  }, 3_000),
)

test(
  'the rule stands above the first of more unread messages than a page holds',
  withSession(async ({ chat, store, type, screen }) => {
    for (let index = 1; index <= 3_000; index++) chat.receive('carol', `missed ${index}.`)
    await eventually(() => store.getState().inbox?.some(({ unread }) => unread === 3_000))
    type('/msg carol\r')
    await eventually(() => /── unread ─+\n[^]*\n {2}missed 1\.\n/.test(screen()))
    assert.ok(loaded(store) <= MAX_LOADED)
    assert.is(store.getState().timeline?.hasEnd, false)
    // As many are read as fit on the screen, not what was loaded around them.
    await eventually(() => /^ carol .*29[45]\d new below ↓/.test(screen()))
    assert.ok((store.getState().inbox?.find(({ name }) => name === 'carol')?.unread ?? 0) >= 2_940)
    type(ALT_END)
    await eventually(() => screen().includes('missed 3000.'))
    type('\x1bu') // what it leads to is not loaded any more
    await eventually(() => /── unread ─+\n[^]*\n {2}missed 1\.\n/.test(screen()))
    type('/msg bob\r\x1bu')
    await eventually(() => screen().includes('Nothing is unread here.'))
  }, 3),
)

/** Nobody waits in a test for what fades. */
const fastClock = { ...systemClock, after: (ms: number, call: () => void) => systemClock.after(ms / 20, call) }

test(
  'what informs goes by itself',
  withSession(
    async ({ type, screen }) => {
      type('/mute\r')
      await eventually(() => /draws no attention/.test(screen()))
      await eventually(() => !/draws no attention/.test(screen()))
    },
    3,
    fastClock,
  ),
)

test(
  'a conversation that was just begun is muted before anything is said; a name that is not in the list is no conversation',
  withSession(async ({ store, type, screen }) => {
    type('/msg zoe\r/mute\r')
    await eventually(() => /zoe draws no attention any more/.test(screen()))
    assert.is(conversationNamed(store.getState(), 'zoe')?.level, 'none')
    type('/mute zeo\r')
    await eventually(() => store.getState().toast?.style === 'problem')
    type('/unmute\r')
    await eventually(() => /zoe draws attention with every message/.test(screen()))
    assert.is(conversationNamed(store.getState(), 'zoe')?.level, 'all')
  }, 3),
)

test(
  'what is found begins with the newest, and so do the messages that name the user, however many there are',
  withSession(async ({ chat, store, type }) => {
    for (let index = 0; index < 120; index++) chat.receive('carol', `@alice ${index}.`)
    const rows = (): string[] => {
      const { overlay } = store.getState()
      return overlay?.kind === 'list' ? [overlay.title, ...overlay.rows.map(({ line }) => lineText(line))] : []
    }
    type('/mentions\r')
    await eventually(() => rows().length > 0)
    assert.is(rows()[0], 'Messages that name you: the newest 100')
    assert.match(rows()[1] ?? '', /@alice 119\./)
    assert.match(rows().at(-1) ?? '', /@alice 20\./)
    type('\x1b/search text\r')
    await eventually(() => rows()[0] === '3 messages with “text”')
    assert.match(rows()[1] ?? '', /text 3\./)
  }, 3),
)

test(
  'who is led to a message has read nothing of what is unread above it, until the end is seen',
  withSession(async ({ chat, store, type, screen }) => {
    for (let index = 1; index <= 3_000; index++) chat.receive('carol', `missed ${index}.`)
    const unread = (): number | undefined => store.getState().inbox?.find(({ name }) => name === 'carol')?.unread
    await eventually(() => unread() === 3_000)
    type('/search missed 1500.\r')
    await eventually(() => store.getState().overlay?.kind === 'list')
    type('\r')
    await eventually(() => /── found ─+\n[^]*missed 1500\./.test(screen()))
    type(PAGE_DOWN)
    await eventually(() => /missed 1600\./.test(screen()))
    chat.changed()
    await eventually(() => /^ carol .*3000 unread|^ carol .*new below/.test(screen()))
    assert.is(unread(), 3_000)
    type(ALT_END)
    await eventually(() => unread() === 0)
  }, 3),
)

test(
  'a fingerprint is seen whole in forty columns',
  withSession(async ({ store, type, screen }) => {
    store.dispatch({ type: 'resized', columns: 40, rows: 10 })
    type('/verify\r')
    await eventually(() => /not compared\n {2}0123 4567 89ab cdef\n {2}0123 4567 89ab cdef\n/.test(screen()))
  }, 3),
)

test(
  'a group is made, its members listed, and who has read is counted and named',
  withSession(async ({ chat, store, type, screen }) => {
    type('/create #ops bob carol\r')
    await eventually(() => store.getState().current === '#ops')
    await eventually(() => /#ops has 3 members/.test(screen()))
    // She never spoke here, and there is no conversation with her; no gateway is asked.
    const info = chat.group.info.bind(chat.group)
    chat.group.info = () => Promise.reject(new ChatError('NET_UNAVAILABLE'))
    type('@car\t')
    await eventually(() => /> @carol/.test(screen()))
    type('\x15/role c\t')
    await eventually(() => /> \/role carol/.test(screen()))
    chat.group.info = info
    type('\x15/names\r')
    await eventually(() => /#ops: 3 members\n.*alice \(you\) owner\n.*bob\n.*carol/.test(screen()))
    type('\x1b')
    const at = '2026-11-23T12:00:00.000Z'
    chat.recipients = [
      { user: 'bob', receivedAt: at, readAt: at },
      { user: 'carol', receivedAt: null, readAt: null },
    ]
    type('hello all\r')
    await eventually(() => /hello all {2}✓✓ read 1\/2/.test(screen()))
    type('\x13i')
    await eventually(() => /Who has this message: stored[^]*bob read[^]*carol not yet/.test(screen()))
    type('\x1b')
    await chat.group.changeBy('bob', '#ops', { change: 'leave' })
    chat.changed()
    await eventually(() =>
      /· \d\d:\d\d you made #ops with bob and\n +carol\n[^]*hello all[^]*· \d\d:\d\d bob left\n/.test(screen()),
    )
    await chat.group.add('#ops', ['bob'])
    type('/topic Who sits\r')
    await eventually(() => /^ #ops +Who sits/.test(screen()) && /you set the topic: Who sits\n/.test(screen()))
    type('/rename #people\r')
    await eventually(() => store.getState().current === '#people' && screen().includes('#ops is #people now.'))
    type('/role bob owner\r')
    await eventually(() => /bob is owner of #people now/.test(screen()))
    type('/verified\r')
    await eventually(() => /You compared who is in #people/.test(screen()))
    type('/leave\ry')
    await eventually(() => /You are not in #people any more/.test(screen()))
  }, 3),
)

test(
  'what the cluster does not answer at once is waited for in words, which go when it is done',
  withSession(async ({ chat, type, screen }) => {
    await chat.group.create('#ops', ['bob'])
    const { promise, resolve } = Promise.withResolvers<void>()
    const info = chat.group.info.bind(chat.group)
    chat.group.info = async (name) => {
      await promise
      return info(name)
    }
    type('/names #ops\r')
    await eventually(() => screen().includes('Waiting for the cluster …'))
    resolve()
    await eventually(() => screen().includes('#ops: 2 members') && !screen().includes('Waiting for'))
  }, 3),
)

test(
  'a new device of somebody who was compared is warned of until it is compared too',
  withSession(async ({ chat, type, screen }) => {
    chat.unverifiedUsers = [{ user: 'bob', devices: ['d9'] }]
    chat.changed()
    await eventually(() => /^ bob {2}! new device, not compared: \/verify/.test(screen()))
    type('/verify\r')
    await eventually(() => /Devices of bob: compare[^]*not compared/.test(screen()))
    type('\x07/verified\r')
    await eventually(() => chat.verified.has('bob'))
    chat.unverifiedUsers = []
    chat.changed()
    await eventually(() => !/new device/.test(screen()))
  }, 3),
)

test(
  'what is edited, deleted and reacted to is seen at once',
  withSession(async ({ type, screen }) => {
    type('a tpyo\r')
    await eventually(() => /a tpyo {2}✓/.test(screen()))
    type('\x13e\x15a typo\r')
    await eventually(() => /a typo \(edited\) {2}✓/.test(screen()))
    type('/react :tada:\r')
    await eventually(() => /text 3\.\n {2}🎉 \(you\)/.test(screen()))
    type('\x13dy')
    await eventually(() => /\(deleted\)/.test(screen()))
    assert.not.match(screen(), /a typo/)
  }, 3),
)

test(
  'who types and who is there is shown, and typing is told but not commands',
  withSession(async ({ chat, type, screen }) => {
    chat.tellLive({ type: 'presence', user: 'bob', state: 'online', lastSeen: null })
    await eventually(() => /^ bob {2}online/.test(screen()))
    chat.tellLive({ type: 'typing', conversation: 'bob', from: 'bob', active: true })
    await eventually(() => /^ bob {2}typing …/.test(screen()))
    chat.tellLive({ type: 'typing', conversation: 'bob', from: 'bob', active: false })
    chat.tellLive({ type: 'presence', user: 'bob', state: 'offline', lastSeen: '2026-11-20T12:00:00.000Z' })
    await eventually(() => /^ bob {2}last seen 2026-11-20/.test(screen()))
    type('/search x\x15')
    assert.equal(chat.typed, [])
    type('hi')
    assert.equal(chat.typed.at(-1), { conversation: 'bob', active: true })
    type('\r')
    assert.equal(chat.typed.at(-1), { conversation: 'bob', active: false })
  }, 3),
)

test(
  'what arrives is told of also after the stream of events broke off',
  withSession(async ({ chat, store, notified }) => {
    store.dispatch({ type: 'focus', isFocused: false })
    chat.eventsError = new Error('the owner of the profile crashed twice')
    chat.receive('bob', 'unheard')
    await eventually(() => {
      chat.receive('carol', 'heard')
      return notified.includes('carol')
    })
  }, 1),
)

test(
  '/revoke completes the devices that are left, says which it is before it asks, and asks about none that is not there',
  withSession(async ({ chat, type, screen }) => {
    const shows = (pattern: RegExp) => eventually(() => pattern.test(screen()), { what: `the screen shows ${pattern}` })
    chat.otherDevices.set('d1', false).set('d2', false).set('d3', true)
    type('/revoke d9\r')
    await shows(/You have no device d9; \/devices lists them/)
    type('/revoke d3\r')
    await shows(/The device d3 was ended before/)
    type('/revoke d0\r')
    await shows(/End THIS device, d0, for good\?/)
    type('n')
    type('/revoke d\t')
    await shows(/\[d1\] {2}d2 {2}d0 \(this\)/)
    type('\t\r')
    await shows(/End the device d2 for good\?/)
    assert.equal([...chat.otherDevices.values()], [false, false, true])
    type('y')
    await shows(/The device d2 is ended/)
    assert.equal([...chat.otherDevices.values()], [false, true, true])
  }, 3),
)

test.run()
