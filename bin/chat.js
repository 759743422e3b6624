#!/usr/bin/env node
// The chat command: refuses a Node that is too old with one sentence, then loads the built program.
// Written in old syntax, and without static imports, so that an old Node gets as far as the check.
// It must hold no logic of the program itself: that is src/cli/chat.ts.

var MINIMUM = [22, 12]
var version = process.versions.node.split('.').map(Number)

if (version[0] < MINIMUM[0] || (version[0] === MINIMUM[0] && version[1] < MINIMUM[1])) {
  fail(
    'chat needs Node ' +
      MINIMUM.join('.') +
      ' or newer and this is Node ' +
      process.versions.node +
      ': install a newer one (https://nodejs.org), or run `npx chat` inside the clone after `npm ci`, which brings its own.',
  )
} else {
  import('node:module').then(load).catch(function (error) {
    var text = String(error && error.message)
    var missing = error && error.code === 'ERR_MODULE_NOT_FOUND'
    if (missing && /imported from .*bin[\\/]chat\.js/.test(text))
      fail('chat is not built yet: run `npm run build` first.')
    else if (missing && /^Cannot find package/.test(text))
      fail('chat lacks its dependencies (' + text.split(' imported')[0] + '): run `npm ci` first.')
    else fail((error && error.stack) || text)
  })
}

// What was compiled once is not compiled again at each start. In a directory of this user alone: who can write there can run code.
function load(module) {
  var caches = process.env.XDG_CACHE_HOME || (process.env.HOME && process.env.HOME + '/.cache')
  if (caches && module.enableCompileCache) module.enableCompileCache(caches + '/chat')
  return import('../dist/cli/chat.js')
}

function fail(sentence) {
  process.stderr.write(sentence + '\n')
  process.exitCode = 1
}
