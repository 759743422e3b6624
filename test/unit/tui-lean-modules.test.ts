// Every module that is swapped when Ink loads is where it is believed to be, and so is what takes its place: a new version of a package that
// looks otherwise is found here, not by a slow start or by one that fails.
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { leaner } from '../../src/tui/lean-modules.ts'

const ink = import.meta.resolve('ink')
const fromInk = createRequire(ink)
const fromReconciler = createRequire(fromInk.resolve('react-reconciler'))
const urlOf = (path: string): string => pathToFileURL(path).href

const swapped: Record<string, string> = {
  // By `import`, which other files than `require` are for.
  'es-toolkit': urlOf(fromInk.resolve('es-toolkit/compat')).replace(/index\.\w+$/, 'index.mjs'),
  react: urlOf(fromInk.resolve('react')),
  'react/jsx-runtime': urlOf(fromInk.resolve('react/jsx-runtime')),
  'react-reconciler': urlOf(fromInk.resolve('react-reconciler')),
  'react-reconciler/constants': urlOf(fromInk.resolve('react-reconciler/constants.js')),
  scheduler: urlOf(fromReconciler.resolve('scheduler')),
  'string-width': import.meta.resolve('string-width'),
  'the Output of Ink': new URL('./output.js', ink).href,
  'the lineUpdate of Ink': new URL('./line-update.js', ink).href,
}
for (const [name, url] of Object.entries(swapped)) {
  test(name, () => {
    assert.ok(existsSync(fileURLToPath(url)), url)
    const instead = leaner(url)
    assert.is.not(instead, url)
    assert.ok(existsSync(fileURLToPath(instead)), instead)
  })
}

test('nothing else', () => assert.is(leaner(ink), ink))

test.run()
