// deadline: 600s
// `chat tui` on a real server: two people write to each other, the server is killed while one types and comes back, nothing is lost.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { crc32, deflateSync } from 'node:zlib'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { eventually } from '../eventually.ts'
import { cleanUp, newDirectory, startNode } from '../node-process.ts'
import { Screen } from '../tui-terminal.ts'
import { run } from './world.ts'

const CHAT = fileURLToPath(new URL('../../bin/chat.js', import.meta.url))
const screens: Screen[] = []

const chat = async (...args: string[]): Promise<void> => {
  const { code, stderr } = await run('chat', args)
  assert.is(code, 0, stderr)
}
const openScreen = (home: string, profile: string, env: Record<string, string> = {}): Screen => {
  const screen = new Screen([process.execPath, CHAT, '--home', home, '--profile', profile, 'tui'], { env })
  screens.push(screen)
  return screen
}

test.after(async () => {
  for (const screen of screens) await screen.close()
  await cleanUp()
})

test('a conversation, a killed server, and its return', async () => {
  const directory = newDirectory()
  const [home, data] = [join(directory, 'home'), join(directory, 'data')]
  const server = await startNode(data, '--role', 'all', '--ws', '127.0.0.1:0', '--open-registration')
  const gateway = server.ready.ws ?? ''
  await chat('--home', home, '--profile', 'alice', 'register', 'alice', '--gateway', gateway)
  await chat('--home', home, '--profile', 'bob', 'register', 'bob', '--gateway', gateway)

  const alice = openScreen(home, 'alice')
  await alice.shows(/online/)
  await alice.shows('There is no conversation yet')
  alice.type('/msg bob hello bob\r')
  await alice.shows(/hello bob {2}✓/)
  const bob = openScreen(home, 'bob')
  await bob.shows(/alice \d\d:\d\d\n +hello bob/)
  await alice.shows(/hello bob {2}✓✓ read/)
  bob.type('hello alice\r')
  await alice.shows(/bob \d\d:\d\d\n +hello alice/)

  alice.type('while it')
  server.signal('SIGKILL')
  await server.ended
  await alice.shows(/reconnecting in|connecting …/)
  alice.type(' is away')
  await alice.shows('> while it is away')
  alice.type('\r')
  await alice.shows(/while it is away {2}… queued/)
  await alice.shows('queued 1')

  const port = new URL(gateway).port
  await startNode(data, '--role', 'all', '--ws', `127.0.0.1:${port}`, '--open-registration')
  await bob.shows('while it is away')
  await alice.shows(/while it is away {2}✓✓ read/)
  assert.is(bob.text.match(/hello bob/g)?.length, 1)

  alice.type('/nobody\x15/msg nosuchuser hi\r')
  await alice.shows(/hi {2}! refused\n +There is no user of that name/)
  for (const screen of [alice, bob]) {
    screen.type('\x03\x03')
    assert.is((await screen.ends()).exitCode, 0)
    await eventually(() => !screen.isAlternate)
  }
})

test('the first start registers or links, profiles are chosen from, and replies quote across clients', async () => {
  const directory = newDirectory()
  const [home, data] = [join(directory, 'home'), join(directory, 'data')]
  const server = await startNode(data, '--role', 'all', '--ws', '127.0.0.1:0', '--open-registration')
  const gateway = server.ready.ws ?? ''
  await chat('--home', home, '--profile', 'bob', 'register', 'bob', '--gateway', gateway)
  const carol = openScreen(home, 'carol')
  await carol.shows(/Address of a gateway \[ws:\/\/127\.0\.0\.1:7400\]:$/m)
  carol.type(`${gateway}\r`)
  await carol.shows(/\(new, link\) \[new\]:/)
  carol.type('\r')
  await carol.shows(/Your name .* \[carol\]:/)
  carol.type('bob\r')
  await carol.shows(/bob is taken[^]*Your name [^[]*:/)
  carol.type('carol\r')
  await carol.shows('There is no conversation yet')
  carol.type('/msg bob who is it?\r')
  await carol.shows(/who is it\? {2}✓/)
  const bob = openScreen(home, 'bob')
  // In the list it is there before the timeline is.
  await bob.shows(/carol \d\d:\d\d\n +who is it\?/)
  bob.type('\x13rme\r')
  await carol.shows(/↳ carol: who is it\?\n +me/)

  const laptop = openScreen(home, 'laptop')
  await laptop.shows(/Address of a gateway/)
  laptop.type(`${gateway}\r`)
  await laptop.shows(/\(new, link\) \[new\]:/)
  laptop.type('link\r')
  await laptop.shows(/▀[^]*The code of this device: (\S+)/)
  const code = /The code of this device: (\S+)/.exec(laptop.text)?.[1] ?? ''
  carol.type(`/link ${code}\r`)
  await laptop.shows(/carol \(profile laptop\) +at/)
  carol.type('/msg bob both see this\r')
  await laptop.shows('both see this')

  const asking = new Screen([process.execPath, CHAT, '--home', home, 'tui'])
  screens.push(asking)
  await asking.shows(/^ {2}bob\n {2}carol\n {2}laptop \(user carol\)\nWhich one\?.*:$/m)
  asking.type('laptop\r')
  await asking.shows(/carol \(profile laptop\) +at/)
  for (const screen of [carol, bob, laptop, asking]) {
    screen.type('\x03\x03')
    assert.is((await screen.ends()).exitCode, 0)
  }
})

test('a group: made, answered, read, reacted to, found, and followed under another name', async () => {
  const directory = newDirectory()
  const [home, data] = [join(directory, 'home'), join(directory, 'data')]
  const server = await startNode(data, '--role', 'all', '--ws', '127.0.0.1:0', '--open-registration')
  const gateway = server.ready.ws ?? ''
  await chat('--home', home, '--profile', 'alice', 'register', 'alice', '--gateway', gateway)
  await chat('--home', home, '--profile', 'bob', 'register', 'bob', '--gateway', gateway)
  const [alice, bob] = [openScreen(home, 'alice'), openScreen(home, 'bob')]
  for (const screen of [alice, bob]) await screen.shows('There is no conversation yet')
  alice.type('/group create #sailing bob\r')
  await alice.shows('#sailing has 2 members')
  await bob.shows(/▸ #sailing/)
  alice.type('who steers, @bob?\r')
  await alice.shows(/who steers, @bob\? {2}✓✓ read/)
  await bob.shows(/alice \d\d:\d\d\n +who steers, @bob\?/)
  bob.type('\x13a\r')
  await alice.shows(/who steers[^]*👍/)
  bob.type('I do\r')
  await alice.shows(/bob \d\d:\d\d\n +I do/)
  bob.type('/edit\rI really do\r')
  await alice.shows(/I doI really do \(edited\)/)
  alice.type('/group rename #regatta\r')
  await bob.shows(/▸ #regatta/)
  alice.type('/search steers\r')
  await alice.shows(/1 message with “steers”[^]*#regatta/)
  for (const screen of [alice, bob]) {
    screen.type('\x07\x03\x03')
    assert.is((await screen.ends()).exitCode, 0)
  }
})

/** A picture of one colour as a file, made here: 320 by 160 pixels. */
const pngFile = (): Buffer => {
  const [width, height] = [320, 160]
  const chunk = (type: string, data: Buffer): Buffer => {
    const named = Buffer.concat([Buffer.from(type, 'latin1'), data])
    const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)]
    length.writeUInt32BE(data.length)
    check.writeUInt32BE(crc32(named))
    return Buffer.concat([length, named, check])
  }
  const size = Buffer.alloc(13)
  size.writeUInt32BE(width, 0)
  size.writeUInt32BE(height, 4)
  size.set([8, 2], 8) // bits of a channel; red, green and blue
  const row = Buffer.concat([Buffer.of(0), Buffer.alloc(width * 3, Buffer.of(40, 120, 200))])
  const pixels = deflateSync(Buffer.concat(Array.from({ length: height }, () => row)))
  const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')
  return Buffer.concat([signature, chunk('IHDR', size), chunk('IDAT', pixels), chunk('IEND', Buffer.alloc(0))])
}
const SHARP: string = 'sharp'
const hasSharp = await import(SHARP).then(
  () => true,
  () => false,
)

test('a file and a picture: sent, seen, looked at, saved as they were, opened', async () => {
  const directory = newDirectory()
  const [home, data, downloads, programs] = ['home', 'data', 'downloads', 'bin'].map((name) => join(directory, name))
  if (!home || !data || !downloads || !programs) throw new Error('four directories')
  const server = await startNode(data, '--role', 'all', '--ws', '127.0.0.1:0', '--open-registration')
  const gateway = server.ready.ws ?? ''
  await chat('--home', home, '--profile', 'alice', 'register', 'alice', '--gateway', gateway)
  await chat('--home', home, '--profile', 'bob', 'register', 'bob', '--gateway', gateway)
  writeFileSync(join(home, 'bob', 'tui.toml'), `downloads = ${JSON.stringify(downloads)}\n`)
  const notes = 'wind from the west\n'.repeat(20_000)
  const picture = pngFile()
  writeFileSync(join(directory, 'my notes.txt'), notes)
  writeFileSync(join(directory, 'sea.png'), picture)
  // What a desktop opens files with.
  const opened = join(directory, 'opened')
  mkdirSync(programs)
  for (const name of ['xdg-open', 'open']) {
    writeFileSync(join(programs, name), `#!/bin/sh\nprintf %s "$1" > '${opened}'\n`, { mode: 0o755 })
  }

  const alice = openScreen(home, 'alice')
  const bob = openScreen(home, 'bob', { PATH: `${programs}:${process.env.PATH}` })
  for (const screen of [alice, bob]) await screen.shows('There is no conversation yet')
  alice.type(`/msg bob\r/send ${directory}/my\t`)
  await alice.shows(`my\\ notes.txt`)
  alice.type('to read\r')
  await bob.shows(/alice \d\d:\d\d\n +to read\n +\[file my notes\.txt, 371 KiB\]/)
  bob.type('\x13s')
  await bob.shows(/Saved: .*my notes\.txt/)
  assert.is(readFileSync(join(downloads, 'my notes.txt'), 'utf8'), notes)

  alice.type(`/send ${directory}/sea.png\r`)
  await bob.shows(/\[file sea\.png, \d+ B\]/)
  await alice.shows(/\[file sea\.png, \d+ B\] {2}✓✓ read/)
  if (hasSharp) {
    await bob.shows(/\[file sea\.png[^\n]*\n +▀{20}/)
    // The row of the notice that a first start has.
    bob.type('\x1b')
    await eventually(() => !bob.lines.join('\n').includes('shows the essentials'))
    bob.type('a thought')
    bob.type('\x13v')
    // The whole width but for what its height leaves.
    await bob.shows(/^sea\.png {2}Esc closes\n[^]*▀{79}/m)
    bob.type('q')
    await bob.shows('> a thought')
    bob.type('\x15')
  }
  bob.type('\x13o')
  await bob.shows('Opened sea.png.')
  await eventually(() => existsSync(opened) && readFileSync(opened, 'utf8') === join(downloads, 'sea.png'))
  assert.equal(readFileSync(join(downloads, 'sea.png')), picture)
  for (const screen of [alice, bob]) {
    screen.type('\x03\x03')
    assert.is((await screen.ends()).exitCode, 0)
  }
})

test.run()
