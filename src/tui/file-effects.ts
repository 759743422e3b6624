// Files of messages: fetched, saved, opened by the system, and paths completed. Only kinds that show and do nothing else are opened.
import { spawn } from 'node:child_process'
import { basename, extname } from 'node:path'
import { type SafeText, safeLine, safeTemplate as safe } from '../client/safe-text.ts'
import type { EffectTools, Runners } from './effect-tools.ts'
import { pathCandidates } from './paths.ts'

const PROGRESS_MS = 100
const PERCENT = 100
/** Pictures, sound, video, text: nothing that a desktop would run. */
const SHOWN =
  /^\.(?:png|jpe?g|gif|webp|avif|heic|bmp|tiff?|pdf|txt|md|log|csv|json|mp3|ogg|flac|wav|m4a|mp4|webm|mkv|mov)$/i

const openers: Partial<Record<NodeJS.Platform, string>> = { darwin: 'open', linux: 'xdg-open' }

/** False when there is nothing to open it with. */
const openFile = (path: string): Promise<boolean> => {
  const opener = openers[process.platform]
  if (opener === undefined) return Promise.resolve(false)
  return new Promise((resolve) => {
    const child = spawn(opener, [path], { stdio: 'ignore', detached: true })
    child.on('error', () => resolve(false))
    child.on('spawn', () => resolve(true))
    child.unref()
  })
}

const progressOf = (name: string, received: number, size: number): SafeText => {
  const percent = size === 0 ? PERCENT : Math.floor((PERCENT * received) / size)
  return safe`${safeLine(name, { maxLength: 40 })}: ${percent} %`
}

export const fileRunners = ({
  chat,
  store,
  clock,
  signal,
  downloads,
  say,
}: EffectTools): Runners<'saveFiles' | 'openFiles' | 'completePath'> => {
  const fetch = async (id: string): Promise<string[]> => {
    let saidAt = 0
    const onProgress = ({ name, size, received }: { name: string; size: number; received: number }): void => {
      if (clock.monotonic() - saidAt < PROGRESS_MS) return
      saidAt = clock.monotonic()
      store.dispatch({ type: 'toast', text: progressOf(name, received, size), style: 'dim', isUnderWay: true })
    }
    const fetched = await chat.fetchAttachments(id, { directory: downloads(), signal, onProgress })
    return fetched.map(({ path }) => path)
  }
  const saved = (paths: readonly string[]): SafeText => safe`Saved: ${safeLine(paths.join(', '), { maxLength: 300 })}`
  return {
    saveFiles: async ({ id }) => say(saved(await fetch(id))),
    openFiles: async ({ id }) => {
      const paths = await fetch(id)
      const shown = paths.filter((path) => SHOWN.test(extname(path)))
      const opened = await Promise.all(shown.map(openFile))
      const isOpen = opened.length > 0 && opened.every(Boolean)
      say(isOpen ? safe`Opened ${safeLine(shown.map((path) => basename(path)).join(', '))}.` : saved(paths))
    },
    completePath: async ({ typed, from, draft }) => {
      const candidates = (await pathCandidates(typed)).map((path) => ({
        text: path.endsWith('/') ? path : `${path} `,
        label: safeLine(path, { maxLength: 60 }),
      }))
      store.dispatch({ type: 'completed', from, draft, candidates })
    },
  }
}
