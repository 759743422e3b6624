// deadline: 240s
// The main screens of the built terminal client in a real pty, with content that is always the same. The pictures in docs/screens are these
// screens: WRITE_SCREENS=1 writes them, without it they are compared.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import { screenSvg } from '../../scripts/screen-svg.ts'
import { Screen } from '../tui-terminal.ts'

const PROGRAM = fileURLToPath(new URL('../tui-picture-program.ts', import.meta.url))
const DIRECTORY = fileURLToPath(new URL('../../docs/screens/', import.meta.url))
const [CTRL_K, CTRL_S, CTRL_U, ALT_C, ALT_1, ALT_2, CTRL_G] = [
  '\x0b',
  '\x13',
  '\x15',
  '\x1bc',
  '\x1b1',
  '\x1b2',
  '\x07',
]

interface Picture {
  name: string
  title: string
  keys: string
  shows: RegExp
  size?: { columns: number; rows: number }
  /** Back to where the next one begins. */
  after: string
}
const usualSize = { columns: 90, rows: 24 }
const pictures: Picture[] = [
  { name: 'conversation', title: 'A conversation', keys: 'Yes, at th', shows: /> Yes, at th/, after: CTRL_U },
  { name: 'group', title: 'A group, with who has read', keys: ALT_2, shows: /✓✓ read 2\/3/, after: ALT_1 },
  {
    name: 'switcher',
    title: 'Finding a conversation',
    keys: `${CTRL_K}da`,
    shows: /Go to: da[^]*▸ dan/,
    after: CTRL_G,
  },
  { name: 'select', title: 'A message is selected', keys: CTRL_S, shows: /r reply · e edit/, after: CTRL_G },
  {
    name: 'search',
    title: 'Search in all history',
    keys: '/search boat\r',
    shows: /messages with “boat”/,
    after: CTRL_G,
  },
  { name: 'help', title: 'Help, made from the tables', keys: '?', shows: /Keys\n[^]*Enter +send/, after: CTRL_G },
  {
    name: 'cluster',
    title: 'The cluster, live, for its operators',
    keys: ALT_C,
    shows: /store-2 +down/,
    size: { columns: 110, rows: 20 },
    after: CTRL_G,
  },
  {
    name: 'small',
    title: 'In 40 columns and 10 rows',
    keys: '',
    shows: /> Message/,
    size: { columns: 40, rows: 10 },
    after: '',
  },
]

test('the pictures in docs/screens are what the client draws', async () => {
  const env = { TZ: 'UTC', FORCE_COLOR: '1' }
  const screen = new Screen([process.execPath, PROGRAM], { ...usualSize, env })
  try {
    await screen.shows(/> Message/)
    for (const { name, title, keys, shows, size = usualSize, after } of pictures) {
      await screen.shows(/harbour/)
      screen.resize(size.columns, size.rows)
      screen.type(keys)
      await screen.shows(shows)
      const draw = (terminal: Parameters<typeof screenSvg>[0]): string => screenSvg(terminal, title)
      const path = `${DIRECTORY}${name}.svg`
      if (process.env.WRITE_SCREENS) {
        mkdirSync(DIRECTORY, { recursive: true })
        writeFileSync(path, await screen.settled(draw))
      }
      const what = `the screen is docs/screens/${name}.svg (WRITE_SCREENS=1 writes it anew)`
      await screen.becomes(draw, readFileSync(path, 'utf8'), what)
      screen.type(after)
    }
  } finally {
    await screen.close()
  }
})

test.run()
