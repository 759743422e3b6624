// deadline: 600s
// The chat command against a real node: JSON, exit codes and streams as the interface promises them.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { chmodSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Refusal } from '../../src/client/api.ts'
import { eventually } from '../eventually.ts'
import { ChatNode, textsOf } from './chat-node.ts'

interface Sent {
  id: string
  to: string
  conversation: string
  status: string
  storedAt: string | null
  receivedAt: string | null
  readAt: string | null
}
interface Shown {
  id: string
  from: string
  text: string
  status: string
  at: string
}
const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

const cli = suite('chat')
const node = new ChatNode()
cli.before(async () => {
  await node.start()
  await node.register('alice', 'bob')
})
cli.after(() => node.close())

cli('whoami, profiles and the key file', async () => {
  const me = await node.json<{ user: string; device: string; cluster: string }>('alice', ['whoami'])
  assert.is(me.user, 'alice')
  const profiles = await node.json<{ profile: string; user: string }[]>('alice', ['profiles'])
  assert.equal(
    profiles.map(({ profile, user }) => [profile, user]),
    [
      ['alice', 'alice'],
      ['bob', 'bob'],
    ],
  )
  const directory = join(node.home, 'alice')
  assert.is(statSync(join(directory, 'device.key')).mode & 0o777, 0o600)
  assert.is(statSync(directory).mode & 0o777, 0o700)
  chmodSync(join(directory, 'device.key'), 0o644)
  const open = await node.chat('alice', ['inbox', '--json'])
  chmodSync(join(directory, 'device.key'), 0o600)
  assert.is(open.code, 5)
  assert.is((JSON.parse(open.stdout) as { error: { code: string } }).error.code, 'PROFILE_PERMISSIONS')
})

cli('a taken name, a foreign profile, an unknown profile, a wrong gateway', async () => {
  const code = async (profile: string, args: string[]): Promise<[number, string]> => {
    const { code, stdout } = await node.chat(profile, [...args, '--json'])
    return [code, (JSON.parse(stdout) as { error: { code: string } }).error.code]
  }
  const gateway = ['--gateway', node.gateway]
  assert.equal(await code('thief', ['register', 'alice', ...gateway]), [5, 'AUTH_NAME_TAKEN'])
  assert.equal(await code('alice', ['register', 'alicia', ...gateway]), [5, 'PROFILE_EXISTS'])
  assert.equal(await code('nobody', ['inbox']), [4, 'PROFILE_MISSING'])
  assert.equal(await code('carol', ['register', 'carol', '--gateway', 'ws://127.0.0.1:1']), [3, 'NET_UNAVAILABLE'])
  assert.equal(await code('carol', ['register', 'carol', '--gateway', 'ws://192.0.2.1:7400']), [2, 'NET_INSECURE'])
  assert.equal(await code('carol', ['register', 'Carol', ...gateway]), [2, 'AUTH_NAME_ILLEGAL'])
})

cli('send waits for the state it is told to, and says how far the message got', async () => {
  const stored = await node.json<Sent>('alice', ['send', 'bob', 'Hello', 'Bob'])
  assert.equal([stored.to, stored.conversation, stored.status], ['bob', 'bob', 'stored'])
  assert.match(stored.storedAt ?? '', RFC_3339)
  assert.is(stored.readAt, null)
  const late = await node.chat('alice', ['send', 'bob', 'unread', '--wait', 'read', '--timeout', '4s', '--json'])
  assert.is(late.code, 3)
  const answer = JSON.parse(late.stdout) as Sent & { error: { code: string } }
  assert.equal([answer.status, answer.error.code], ['stored', 'TIMEOUT'])
  const lost = await node.chat('alice', ['send', 'nobody', 'hi', '--json'])
  assert.is(lost.code, 4)
  assert.is((JSON.parse(lost.stdout) as { status: string }).status, 'refused')
})

cli('nothing empty is sent', async () => {
  for (const args of [
    ['send', 'bob', ''],
    ['send', 'bob', '-'],
  ]) {
    const { code, stdout, stderr } = await node.chat('alice', [...args, '--json'], '\n')
    const { error } = JSON.parse(stdout) as { error: { code: string; outcome: string } }
    assert.equal([code, error.code, error.outcome], [2, 'MESSAGE_EMPTY', 'refused'], args.join(' '))
    assert.match(stderr, /is empty.*give it a text or a file/)
  }
  assert.equal(
    (await node.json<Shown[]>('alice', ['history', 'bob'])).map(({ text }) => text),
    ['Hello Bob', 'unread'],
  )
})

cli('listen streams what was missed, then ends; history and status agree', async () => {
  const listener = await node.chat('bob', ['listen', '--count', '2', '--timeout', '60s', '--mark-read', '--json'])
  assert.is(listener.code, 0)
  const lines = listener.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Shown & { type: string; to: string })
  assert.equal(
    lines.map(({ type, from, to, text }) => [type, from, to, text]),
    [
      ['message', 'alice', 'bob', 'Hello Bob'],
      ['message', 'alice', 'bob', 'unread'],
    ],
  )
  assert.equal(await node.json('bob', ['send', '--flush']), { queued: 0 })
  const again = await node.chat('bob', ['listen', '--count', '1', '--timeout', '400ms'])
  assert.equal([again.code, again.stdout], [3, ''])
  const history =
    (await eventually(async () => {
      const found = await node.json<Shown[]>('alice', ['history', 'bob'])
      return found.filter(({ status }) => status === 'read').length === 2 ? found : undefined
    })) ?? []
  assert.equal(
    history.map(({ text }) => text),
    ['Hello Bob', 'unread'],
  )
  const report = await node.json<{
    storedAt: string
    recipients: { user: string; receivedAt: string; readAt: string }[]
  }>('alice', ['status', history[0]?.id ?? ''])
  const [bob] = report.recipients
  assert.ok(bob && report.storedAt <= bob.receivedAt && bob.receivedAt <= bob.readAt)
  assert.is((await node.chat('alice', ['status', '01934c5e-7a2b-7c3d-8e4f-5a6b7c8d9e0f'])).code, 4)
})

cli('texts are kept exactly; only a terminal gets them cleaned', async () => {
  const text = 'first\nsecond\t\u001b[31mred\u0007 \u202e ünï 👩‍👩‍👧\r\n\n'
  await node.json('alice', ['send', 'bob', '-'], `${text}\n`)
  const [last] = await node.json<Shown[]>('bob', ['history', 'alice', '--limit', '1'])
  assert.is(last?.text, text)
  const { stdout } = await node.chat('bob', ['history', 'alice', '--limit', '1'])
  assert.not(['\u001b', '\u0007', '\u202e'].some((control) => stdout.includes(control)))
  const large = await node.chat('alice', ['send', 'bob', '-', '--json'], 'x'.repeat(64 * 1024 + 1))
  assert.is(large.code, 2)
  assert.is((await node.chat('alice', ['send', 'bob', '-'], 'x'.repeat(64 * 1024))).code, 0)
})

cli('inbox, read, search, block', async () => {
  const [entry] = await node.json<{ conversation: string; unread: number; last: Shown }[]>('bob', ['inbox'])
  assert.equal([entry?.conversation, entry?.unread], ['alice', 2])
  assert.equal(await node.json('bob', ['read', 'alice']), { conversation: 'alice', marked: 2 })
  assert.is((await node.json<{ unread: number }[]>('bob', ['inbox']))[0]?.unread, 0)
  const found = await node.json<Shown[]>('bob', ['search', 'hello'])
  assert.equal(
    found.map(({ text }) => text),
    ['Hello Bob'],
  )
  await node.json('bob', ['block', 'alice'])
  assert.equal(await node.json('bob', ['history', 'alice']), [])
  assert.is((await node.chat('bob', ['unblock', 'alcie'])).stdout, 'alcie was not blocked\n')
  await node.json('bob', ['unblock', 'alice'])
  assert.is((await node.json<Shown[]>('bob', ['history', 'alice'])).length, 4)
})

cli('what is no conversation cannot be muted, marked or searched', async () => {
  for (const args of [
    ['mute', 'bbo'],
    ['unmute', 'bbo'],
    ['unread', 'bbo'],
    ['search', 'x', '--in', 'bbo'],
  ]) {
    const { code, stderr } = await node.chat('alice', args)
    assert.is(code, 4, args.join(' '))
    assert.match(stderr, /no conversation with bbo on this device; did you mean bob\? \[CONVERSATION_UNKNOWN\]/)
  }
  assert.is((await node.chat('alice', ['mute', '#nobodys'])).code, 4)
  assert.equal(await node.json('alice', ['mute', 'bob']), { conversation: 'bob', level: 'none' })
  assert.equal(await node.json('alice', ['unmute', 'bob']), { conversation: 'bob', level: 'all' })
})

cli('a linked device has the history; a revoked one is told', async () => {
  const linking = node.linking('laptop')
  const shown = await eventually(() => linking.lines.find((line) => 'code' in line))
  await node.json('alice', ['link', '--approve', String(shown?.code)])
  const linked = await eventually(() => linking.lines.find((line) => 'device' in line))
  assert.is(linked?.user, 'alice')
  assert.is((await node.json<Shown[]>('laptop', ['history', 'bob'])).length, 4)
  const devices = await node.json<{ device: string; current: boolean }[]>('alice', ['devices'])
  assert.equal(
    devices.map(({ current }) => current),
    [true, false],
  )
  await node.json('alice', ['revoke', String(linked?.device)])
  const revoked = await node.chat('laptop', ['send', 'bob', 'still me', '--timeout', '60s', '--json'])
  assert.is(revoked.code, 5, 'at once, and final')
  assert.match(revoked.stderr, /AUTH_REVOKED/)
  for (const args of [['devices'], ['listen'], ['send', '--flush'], ['group', 'create', '#mine']]) {
    const told = await node.chat('laptop', [...args, '--json'])
    assert.is(told.code, 5, args.join(' '))
    assert.match(told.stderr, /AUTH_REVOKED/)
  }
  assert.is((await node.json<Shown[]>('laptop', ['history', 'bob'])).length, 5, 'what it has it still shows')
})

cli('a device may end itself, and is told that it did', async () => {
  const linking = node.linking('tablet')
  const shown = await eventually(() => linking.lines.find((line) => 'code' in line))
  await node.json('alice', ['link', '--approve', String(shown?.code)])
  const linked = await eventually(() => linking.lines.find((line) => 'device' in line))
  const device = String(linked?.device)
  assert.equal(await node.json('tablet', ['revoke', device]), { device, revoked: true })
})

cli('why no gateway serves a profile is told, not that none was found', async () => {
  const other = new ChatNode()
  await other.start()
  try {
    const wrong = await node.chat('bob', ['devices', '--gateway', other.gateway, '--json'])
    assert.is(wrong.code, 0, 'there is another that is right')
    const elsewhere = ['register', 'alice', '--gateway', other.gateway, '--json']
    const foreign = await node.chat('alice', elsewhere)
    assert.is(foreign.code, 5, 'what it was registered at is gone, or another')
    assert.match(foreign.stderr, /another cluster than this profile.*--profile.*AUTH_CLUSTER/)
    const file = join(node.home, 'bob', 'profile.json')
    const kept = readFileSync(file, 'utf8')
    writeFileSync(file, kept.replaceAll(node.gateway, other.gateway))
    const only = await node.chat('bob', ['devices', '--json'])
    // The profile remembers the other one too, and what is told is what was tried last.
    writeFileSync(file, kept.replaceAll(other.gateway, node.gateway))
    assert.is(only.code, 5, 'at once')
    assert.match(only.stderr, /AUTH_CLUSTER/)
    await node.stop()
    const lost = await node.chat('bob', ['devices', '--json'])
    assert.is(lost.code, 3)
    assert.match(lost.stderr, /No gateway serves this device: .+ cannot be reached .+; check/)
  } finally {
    await other.close()
    await node.start()
  }
})

cli('what is sent while the cluster is away stays in the outbox and goes with the next command', async () => {
  await node.stop()
  const away = await node.chat('alice', ['send', 'bob', 'later', '--timeout', '300ms', '--json'])
  assert.is(away.code, 3)
  assert.is((JSON.parse(away.stdout) as Sent).status, 'queued')
  await node.start()
  assert.equal(await node.json('alice', ['send', '--flush']), { queued: 0 })
  const [last] = await node.json<Shown[]>('bob', ['history', 'alice', '--limit', '1'])
  assert.is(last?.text, 'later')
})

cli('what was queued and is refused later is told by the flush that finds out, and by the status', async () => {
  const file = join(node.directory, 'plan.txt')
  writeFileSync(file, 'the plan')
  await node.stop()
  const away = await node.chat('alice', ['send', 'bob', 'see', '--file', file, '--timeout', '300ms', '--json'])
  assert.is(away.code, 3)
  const { id } = JSON.parse(away.stdout) as Sent
  rmSync(file)
  await node.start()
  const flushed = await node.chat('alice', ['send', '--flush', '--json'])
  assert.is(flushed.code, 4, flushed.stdout)
  const told = JSON.parse(flushed.stdout) as { queued: number; refused: Refusal[]; error: { code: string } }
  assert.equal([told.queued, told.error.code], [0, 'FILE_UNKNOWN'])
  assert.equal(
    told.refused.map((refusal) => [refusal.id, refusal.conversation, refusal.error.code]),
    [[id, 'bob', 'FILE_UNKNOWN']],
  )
  assert.match(flushed.stderr, new RegExp(`^chat: ${id} to bob was refused: .*plan.txt.* \\[FILE_UNKNOWN\\]`))
  assert.equal(await node.json('alice', ['send', '--flush']), { queued: 0 })
  assert.is((await node.json<{ refused?: boolean }>('alice', ['status', id])).refused, true)
  assert.match((await node.chat('alice', ['status', id])).stdout, /: refused; it was not sent/)
})

cli('edit, delete and react say what they did, and to whom it is not allowed', async () => {
  const { id } = await node.json<Sent>('alice', ['send', 'bob', 'helo'])
  const about = { id, conversation: 'bob', status: 'stored' }
  assert.equal(await node.json('alice', ['edit', id, '-'], 'hello\n'), about)
  assert.equal(await node.json('bob', ['react', id, '👍']), {
    ...about,
    conversation: 'alice',
    emoji: '👍',
    active: true,
  })
  const [edited] = await node.json<object[]>('bob', ['history', 'alice', '--limit', '1'])
  const { text, edited: isEdited, reactions } = edited as { text: string; edited: boolean; reactions: unknown }
  assert.equal([text, isEdited, reactions], ['hello', true, [{ emoji: '👍', users: ['bob'] }]])
  assert.equal((await node.json<{ emoji: string }>('bob', ['react', id, ':tada:'])).emoji, '🎉')
  const word = await node.chat('bob', ['react', id, ':tadda:'])
  assert.is(word.code, 2)
  assert.match(word.stderr, /":tadda:" is no emoji \(:tada: 🎉\?\); .* \[USAGE\]/)
  assert.is((await node.chat('bob', ['edit', id, 'mine'])).code, 5)
  assert.is((await node.chat('alice', ['delete', '01934c5e-7a2b-7c3d-8e4f-5a6b7c8d9e0f'])).code, 4)
  assert.equal(await node.json('alice', ['delete', id]), about)
  const [left] = await node.json<object[]>('bob', ['history', 'alice', '--limit', '1'])
  assert.is((left as { deleted?: boolean }).deleted, true)
})

cli('a state that was not reached is printed with the id, and ids can be shown of any message', async () => {
  const late = await node.chat('alice', ['send', 'bob', 'for later', '--wait', 'read', '--timeout', '50ms'])
  assert.is(late.code, 3)
  const [, id] = /^(?:queued|stored|received) ([0-9a-f-]{36})\n$/.exec(late.stdout) ?? []
  assert.ok(id, late.stdout)
  await node.json('alice', ['send', '--flush'])
  const line = (await node.chat('bob', ['history', 'alice', '--ids', '--limit', '1'])).stdout
  assert.match(line, new RegExp(`^${id} .*alice > bob: for later`))
  assert.is((await node.chat('bob', ['search', 'for', 'later', '--ids'])).stdout, line)
  const refused = await node.chat('alice', ['send', 'nobody', 'hello'])
  assert.is(refused.code, 4)
  assert.match(refused.stdout, /^refused [0-9a-f-]{36}\n$/)
})

cli('usage', async () => {
  for (const args of [
    ['send'],
    ['send', 'bob'],
    ['send', 'bob', 'x', '--wait', 'eaten'],
    ['listen', '--timeout', '5'],
    ['listen', '--from', '#ops'],
    ['search', ''],
    ['sned'],
  ]) {
    assert.is((await node.chat('alice', args)).code, 2, args.join(' '))
  }
  const nothing = await node.chat('alice', ['--json'])
  assert.is(nothing.code, 2)
  assert.match(nothing.stdout, /A command is missing/)
  const { code, stdout } = await node.chat('alice', ['--help'])
  assert.is(code, 0)
  assert.ok(stdout.startsWith('Examples:'))
})

cli('SIGTERM ends a listener with 0', async () => {
  const listener = node.listen('bob')
  await node.json('alice', ['send', 'bob', 'bye', '--wait', 'received'])
  await eventually(() => textsOf(listener).includes('bye'))
  assert.is(await listener.end('SIGTERM'), 0)
  assert.ok(readFileSync(join(node.home, 'bob', 'profile.json'), 'utf8').includes(node.gateway))
})

cli.run()
