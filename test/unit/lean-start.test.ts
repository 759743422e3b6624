// What a program does not load when it starts: undici and HTTP/2, which an `import` of node:http loads with it (platform/http.ts).
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const NEVER = ['internal/deps/undici/undici', 'http2']
/** By its path under src/: what loads most of each program. */
const programs = ['client/index.ts', 'node/net/websocket-listener.ts', 'node/net/http-endpoints.ts']

const test = suite('a lean start')

/** Of Node's own modules, those that a program of one import has loaded. */
const loadedBy = async (url: string): Promise<string[]> => {
  const code = `await import(${JSON.stringify(url)}); console.log(JSON.stringify(process.moduleLoadList))`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', code])
  return (JSON.parse(stdout) as string[]).map((name) => name.replace(/^NativeModule /, ''))
}

for (const path of programs) {
  test(`${path} loads http and neither undici nor HTTP/2`, async () => {
    const loaded = await loadedBy(new URL(`../../src/${path}`, import.meta.url).href)
    assert.ok(loaded.includes('http'))
    assert.equal(
      NEVER.filter((name) => loaded.includes(name)),
      [],
    )
  })
}

test.run()
