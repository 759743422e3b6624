// The project's own tooling: what the test runner counts, and that each check finds the defect it is there for.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { layeringErrors, loadRules } from '../../scripts/check-layering.ts'
import { suiteErrors } from '../../scripts/check-suites.ts'
import { deadlineMsOf, matches } from '../../scripts/run-tests.ts'
import { importsOf } from '../../scripts/source-text.ts'
import { judge, parseSummaries, summaryLine } from '../../scripts/uvu-summary.ts'

const root = new URL('../..', import.meta.url).pathname
const summaryOf = (total: number, passed: number, skipped = 0): string =>
  `• • \n\n  Total:     ${total}\n  Passed:    ${passed}\n  Skipped:   ${skipped}\n  Duration:  1.20ms\n\n`

const summary = suite('summary')

const ENDINGS = [
  { name: 'all passed', output: summaryOf(3, 3), exitCode: 0, hung: false, line: '3 passed, 0 failed' },
  { name: 'some failed', output: summaryOf(3, 1), exitCode: 1, hung: false, line: '1 passed, 2 failed' },
  { name: 'some skipped', output: summaryOf(3, 3, 2), exitCode: 0, hung: false, line: '3 passed, 0 failed, 2 skipped' },
  { name: 'no summary', output: 'SyntaxError', exitCode: 1, hung: false, line: '0 passed, 1 failed' },
  { name: 'no summary, exit 0', output: '', exitCode: 0, hung: false, line: '0 passed, 1 failed' },
  { name: 'killed', output: '• •', exitCode: null, hung: false, line: '0 passed, 1 failed' },
  { name: 'no tests', output: summaryOf(0, 0), exitCode: 0, hung: false, line: '0 passed, 1 failed' },
  {
    name: 'only skipped tests',
    output: summaryOf(0, 0, 2),
    exitCode: 0,
    hung: false,
    line: '0 passed, 1 failed, 2 skipped',
  },
  { name: 'crash after the tests', output: summaryOf(3, 3), exitCode: 1, hung: false, line: '3 passed, 1 failed' },
  { name: 'hung', output: '•', exitCode: null, hung: true, line: '0 passed, 1 failed' },
  { name: 'hung after the tests', output: summaryOf(3, 3), exitCode: null, hung: true, line: '3 passed, 1 failed' },
  {
    name: 'two summaries',
    output: summaryOf(1, 1) + summaryOf(2, 2),
    exitCode: 0,
    hung: false,
    line: '2 passed, 1 failed',
  },
]
for (const { name, line, ...ending } of ENDINGS) {
  summary(name, () => assert.is(summaryLine(judge(ending)), line))
}

summary('colours and carriage returns are seen through', () => {
  const coloured = summaryOf(2, 1)
    .replace('  Passed:    1', '\u001B[31m  Passed:    1\u001B[39m')
    .replaceAll('\n', '\r\n')
  assert.equal(parseSummaries(coloured), [{ passed: 1, failed: 1, skipped: 0 }])
})

summary('a summary that is only quoted does not count', () => {
  assert.equal(parseSummaries(summaryOf(9, 9).replaceAll('\n', '\n        ')), [])
})

summary('a deadline is read from the first line only', () => {
  assert.is(deadlineMsOf('// deadline: 300s\nimport'), 300_000)
  assert.is(deadlineMsOf('import\n// deadline: 60s'), 300_000)
})

summary('a filter is a part of the path', () => {
  assert.ok(matches('test/unit/a.test.ts', []))
  assert.ok(matches('test/unit/a.test.ts', ['./test/unit/a.test.ts']))
  assert.ok(matches('test/unit/a.test.ts', ['test/process', 'test/unit']))
  assert.not(matches('test/unit/a.test.ts', ['test/process']))
})

summary.run()

const layering = suite('layering')
const rules = loadRules(root)

const IMPORTS: [path: string, text: string, isAllowed: boolean][] = [
  ['src/protocol/a.ts', "import { b } from './b.ts'", true],
  ['src/protocol/a.ts', "import { sign } from '@noble/ed25519'", true],
  ['src/protocol/a.ts', "import { createHash } from 'node:crypto'", true],
  ['src/protocol/a.ts', "import { readFile } from 'node:fs'", false],
  ['src/protocol/a.ts', "import { log } from '../node/core/log.ts'", false],
  ['src/node/core/a.ts', "import { b } from '../../protocol/b.ts'", true],
  ['src/node/core/a.ts', "import { Gateway } from '../gateway/gateway.ts'", false],
  ['src/node/net/a.ts', "import { createLibp2p } from 'libp2p'", true],
  ['src/node/net/a.ts', "import { WebSocketServer } from 'ws'", true],
  ['src/node/net/a.ts', "import { Level } from 'level'", false],
  ['src/platform/a.ts', "import { Level } from 'level'", true],
  ['src/platform/a.ts', "import { WebSocket } from 'ws'", false],
  ['src/node/gateway/a.ts', "import { quorum } from '../replication/quorum.ts'", true],
  ['src/node/gateway/a.ts', "import type { Stream } from '@libp2p/interface'", false],
  ['src/node/gateway/a.ts', "import { Router } from '../router/router.ts'", false],
  ['src/node/store/a.ts', "import { Level } from 'level'", false],
  ['src/node/store/a.ts', "export * from '../net/peers.ts'", false],
  ['src/node/replication/a.ts', "import { Store } from '../store/store.ts'", false],
  ['src/node/roles.ts', "import { Store } from './store/store.ts'", true],
  ['src/node/roles.ts', "import { Connection } from '../client/connection.ts'", false],
  ['src/node/roles.ts', "const react = await import('react')", false],
  ['src/node/novel/a.ts', '', false],
  ['src/client/websocket.ts', "import { WebSocket } from 'ws'", true],
  ['src/client/connection.ts', "import { WebSocket } from 'ws'", false],
  ['src/client/outbox.ts', "import { Level } from 'level'", false],
  ['src/client/outbox.ts', "import { Level } from 'not-installed'", false],
  ['src/client/outbox.ts', "import { readFile } from 'fs'", false],
  ['src/tui/app.tsx', "import { Box } from 'ink'", true],
  ['src/tui/app.tsx', "import { roles } from '../node/roles.ts'", false],
  ['src/cli/chat.ts', "const tui = await import('../tui/app.tsx')", true],
  ['src/cli/chat.ts', "import { app } from '../tui/app.tsx'", false],
  ['src/cli/chatd.ts', "import { roles } from '../node/roles.ts'", true],
  ['src/cli/chatd.ts', "import { Store } from '../node/store/store.ts'", false],
  ['src/cli/chatd.ts', "import '../../test/sim/world.ts'", false],
]
for (const [path, text, isAllowed] of IMPORTS) {
  layering(`${path}: ${text} is ${isAllowed ? 'allowed' : 'refused'}`, () => {
    assert.is(layeringErrors({ path, text }, rules).length, isAllowed ? 0 : 1)
  })
}

layering('imports are found in every form, and not in comments', () => {
  const text = [
    "import a, { b as c } from 'one' // from 'no'",
    '/* import x from \'no\' */ export { d } from "two"',
    "import {\n  type E,\n} from 'three'",
    "import 'four'",
    "const url = 'http://x'; const f = await import('five')",
    "const quote = /['\"]/; export type * as g from 'six'",
    "// import('no')",
  ].join('\n')
  const found = importsOf(text).map(({ specifier, line }) => `${specifier}:${line}`)
  assert.equal(found.sort(), ['five:7', 'four:6', 'one:1', 'six:8', 'three:5', 'two:2'])
})

layering.run()

const suites = suite('suites')
const head = "import { suite, test as check } from 'uvu'\n"
const both = 'const a = suite("a")\n'

const FILES: [name: string, text: string, errors: number][] = [
  ['no uvu', "import { x } from './x.ts'", 0],
  ['run', `${head}${both}a('x', f)\na.run()\ncheck('y', f)\ncheck.run()`, 0],
  ['suite not run', `${head}${both}a('x', f)\ncheck.run()`, 1],
  ['test not run', `${head}${both}a.run()\ncheck('y', f)`, 1],
  ['run only in a comment', `${head}${both}a.run()\n// check.run()`, 1],
  ['run only in a string', `${head}${both}a.run()\nconst s = 'check.run()'`, 1],
  ['two of one name, one run', `import { suite } from 'uvu'\nf(() => { ${both} })\ng(() => { ${both} a.run() })`, 1],
  ['suite without a name', `import { suite } from 'uvu'\nsuite('x')('y', f)`, 2],
  ['test after run', `import { suite } from 'uvu'\n${both}a.run()\na('late', f)`, 1],
  ['only', `import { suite } from 'uvu'\n${both}a.only('x', f)\na.run()`, 1],
  ['typed suite', `import { suite } from 'uvu'\nconst a = suite<{ n: number }>('a')\na.run()`, 0],
]
for (const [name, text, errors] of FILES) {
  suites(name, () => assert.is(suiteErrors({ path: 'test/unit/x.test.ts', text }).length, errors))
}

suites('a .test.tsx is refused', () => assert.is(suiteErrors({ path: 'test/tui/x.test.tsx', text: '' }).length, 1))

suites.run()
