// Enforces who may import what, by the two tables below. Types count like values: no libp2p, Level or ws type may reach
// a service. A file under src/ that no area covers is an error. test/, bench/ and scripts/ may import anything.
// It warns, and only warns, about files that grew too long.

import { readFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { importsOf, readSources, type Source } from './source-text.ts'

type Area = {
  /** A folder, or a single file. The longest one that covers a file is its area. */
  path: string
  /** The areas it may import; itself always. */
  may: string[]
  /** The areas it may import by `import()` only, so that they load when they are needed. */
  lazily?: string[]
  /** When given, the only packages and built-in modules that it may import. */
  onlyPackages?: string[]
}

const SERVICES = ['gateway', 'router', 'auth', 'store', 'media', 'group'].map((name) => `src/node/${name}`)
const BELOW_SERVICES = ['src/protocol', 'src/platform', 'src/node/core']

const AREAS: Area[] = [
  {
    path: 'src/protocol',
    may: [],
    onlyPackages: ['node:crypto', '@noble/*', 'valibot', 'msgpackr', 'uuidv7'],
  },
  // What nodes and clients both touch of the world: clock, randomness, database, and their adapters.
  { path: 'src/platform', may: ['src/protocol'] },
  { path: 'src/node/core', may: ['src/protocol', 'src/platform'] },
  { path: 'src/node/net', may: BELOW_SERVICES },
  { path: 'src/node/replication', may: BELOW_SERVICES },
  ...SERVICES.map((path) => ({ path, may: [...BELOW_SERVICES, 'src/node/replication'] })),
  // The files directly in src/node wire the services (roles.ts): they see everything on the node's side.
  {
    path: 'src/node',
    may: [...BELOW_SERVICES, 'src/node/net', 'src/node/replication', ...SERVICES],
  },
  { path: 'src/client', may: ['src/protocol', 'src/platform'] },
  { path: 'src/tui', may: ['src/protocol', 'src/platform', 'src/client'] },
  {
    path: 'src/cli',
    may: ['src/protocol', 'src/platform', 'src/client', 'src/node/core', 'src/node/replication', 'src/node'],
    lazily: ['src/tui'],
  },
]

/** Packages that are kept behind one adapter: the first pattern that fits names the only places that may import them. */
const ADAPTERS: { packages: string[]; only: string[] }[] = [
  { packages: ['ws'], only: ['src/node/net', 'src/client/websocket.ts'] },
  { packages: ['datastore-level'], only: ['src/node/net'] },
  { packages: ['libp2p', '@libp2p/*', '@multiformats/*'], only: ['src/node/net'] },
  { packages: ['level', '*-level', 'abstract-level'], only: ['src/platform'] },
  { packages: ['react', 'ink', 'ink-*', 'react-*'], only: ['src/tui'] },
]

/** Folders are flat: nobody needs more. */
const MAX_PARENTS = 2
/** Past twice the usual length of a file there had better be a reason. */
const LONG_FILE_LINES = 300

export type Rules = { areas: Area[]; adapters: typeof ADAPTERS; dependencies: string[] }

export function layeringErrors(source: Source, rules: Rules): string[] {
  const area = areaOf(source.path, rules.areas)
  if (area === undefined) return [`${source.path}: no area in scripts/check-layering.ts covers it`]
  return importsOf(source.text).flatMap(({ specifier, line, isDynamic }) => {
    const reason = specifier.startsWith('.')
      ? fileError(source.path, { area, specifier, isDynamic, areas: rules.areas })
      : packageError(source.path, { area, specifier, rules })
    return reason === undefined ? [] : [`${source.path}:${line}: imports ${specifier}: ${reason}`]
  })
}

function fileError(
  path: string,
  { area, specifier, isDynamic, areas }: { area: Area; specifier: string; isDynamic: boolean; areas: Area[] },
): string | undefined {
  if ((specifier.match(/\.\.\//g) ?? []).length > MAX_PARENTS) return `more than ${MAX_PARENTS} times ../`
  const target = posix.join(dirname(path), specifier)
  if (!target.startsWith('src/')) return 'src/ imports nothing outside src/'
  const other = areaOf(target, areas)
  if (other === undefined) return `no area covers ${target}`
  if (other === area || area.may.includes(other.path)) return undefined
  if (!area.lazily?.includes(other.path)) return `${area.path} may not import ${other.path}`
  return isDynamic ? undefined : `${area.path} may import ${other.path} by import() only`
}

function packageError(
  path: string,
  { area, specifier, rules }: { area: Area; specifier: string; rules: Rules },
): string | undefined {
  const name = packageOf(specifier)
  if (area.onlyPackages !== undefined && !area.onlyPackages.some((pattern) => fits(name, pattern))) {
    return `${area.path} may import only ${area.onlyPackages.join(', ')}`
  }
  const adapter = rules.adapters.find(({ packages }) => packages.some((pattern) => fits(name, pattern)))
  if (adapter !== undefined && !adapter.only.some((place) => covers(place, path))) {
    return `only ${adapter.only.join(', ')} may`
  }
  if (name.startsWith('node:') || rules.dependencies.includes(name)) return undefined
  return 'it is no dependency in package.json (built-in modules need the node: prefix)'
}

function areaOf(path: string, areas: Area[]): Area | undefined {
  return areas.filter((area) => covers(area.path, path)).sort((a, b) => b.path.length - a.path.length)[0]
}

function covers(place: string, path: string): boolean {
  // src/node itself covers only the files directly in it: a new folder must be declared.
  if (place === 'src/node') return dirname(path) === place
  return path === place || path.startsWith(`${place}/`)
}

function packageOf(specifier: string): string {
  if (specifier.startsWith('node:')) return specifier
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
}

function fits(name: string, pattern: string): boolean {
  if (pattern.endsWith('*')) return name.startsWith(pattern.slice(0, -1))
  if (pattern.startsWith('*')) return name.endsWith(pattern.slice(1))
  return name === pattern || (pattern.startsWith('node:') && name.startsWith(`${pattern}/`))
}

export function loadRules(root: string): Rules {
  // The cast: package.json is ours, and `dependencies` is an object in it.
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { dependencies: object }
  return { areas: AREAS, adapters: ADAPTERS, dependencies: Object.keys(manifest.dependencies) }
}

if (import.meta.main) {
  const root = join(import.meta.dirname, '..')
  const rules = loadRules(root)
  const sources = readSources(root, 'src')
  const errors = sources.flatMap((source) => layeringErrors(source, rules))
  for (const { path, text } of sources) {
    const lines = text.split('\n').length
    if (lines > LONG_FILE_LINES) console.warn(`warning: ${path} has ${lines} lines (over ${LONG_FILE_LINES})`)
  }
  for (const error of errors) console.error(error)
  process.exitCode = errors.length > 0 ? 1 : 0
}
