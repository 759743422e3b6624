// Loads Ink without what it does not use: it takes one function of a package of 400 files; React's packages come in two builds, both of
// which are read to learn their names; Yoga asks `fetch` for what it carries with it, which loads Node's whole HTTP client; and
// text is measured by quick-width.ts. Together half of the time that Ink takes to load, and a tenth of its memory.
// Where a package looks otherwise than it is known here, it loads as it is.
import * as nodeModule from 'node:module'

const ours = (name: string): string =>
  new URL(`./${name}${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url).href

const swaps: readonly [from: RegExp, to: string][] = [
  [/\/es-toolkit\/dist\/compat\/index\.mjs$/, '/es-toolkit/dist/compat/function/throttle.mjs'],
  [/\/(react|react-reconciler|scheduler)\/index\.js$/, '/$1/cjs/$1.production.js'],
  [/\/(react|react-reconciler)\/(jsx-runtime|constants)\.js$/, '/$1/cjs/$1-$2.production.js'],
  [/^.*\/string-width\/index\.js$/, ours('quick-width')],
  [/^.*\/ink\/build\/output\.js$/, ours('row-output')],
  [/^.*\/ink\/build\/line-update\.js$/, ours('row-update')],
]
/** What is loaded in place of a module. */
export const leaner = (url: string): string => {
  for (const [from, to] of swaps) if (from.test(url)) return url.replace(from, to)
  return url
}

/** Node's own is there again after it. */
const withoutFetch = async <T>(load: () => Promise<T>): Promise<T> => {
  const fetch = Object.getOwnPropertyDescriptor(globalThis, 'fetch')
  Reflect.deleteProperty(globalThis, 'fetch')
  try {
    return await load()
  } finally {
    if (fetch) Object.defineProperty(globalThis, 'fetch', fetch)
  }
}

/** Nothing else may load meanwhile. */
export const withLeanModules = async <T>(load: () => Promise<T>): Promise<T> => {
  // Since Node 22.15.
  const hooks = nodeModule.registerHooks?.({
    resolve: (specifier, context, next) => {
      const found = next(specifier, context)
      return { ...found, url: leaner(found.url) }
    },
  })
  try {
    return await withoutFetch(load)
  } finally {
    hooks?.deregister()
  }
}
