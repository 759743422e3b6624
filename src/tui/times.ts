// Times as people read them, in the zone of this machine. Pure but for that zone.
import { type SafeText, safeTemplate as safe } from '../client/safe-text.ts'

const DAY_MS = 24 * 3_600_000
const days = [safe`Sunday`, safe`Monday`, safe`Tuesday`, safe`Wednesday`, safe`Thursday`, safe`Friday`, safe`Saturday`]
const months = [
  safe`January`,
  safe`February`,
  safe`March`,
  safe`April`,
  safe`May`,
  safe`June`,
  safe`July`,
  safe`August`,
  safe`September`,
  safe`October`,
  safe`November`,
  safe`December`,
]

const two = (value: number): SafeText => (value < 10 ? safe`0${value}` : safe`${value}`)

export const clockText = (atMs: number): SafeText => {
  const at = new Date(atMs)
  return safe`${two(at.getHours())}:${two(at.getMinutes())}`
}

const dayStart = (atMs: number): number => new Date(atMs).setHours(0, 0, 0, 0)

export const isSameDay = (a: number, b: number): boolean =>
  Math.abs(a - b) < DAY_MS && new Date(a).getDate() === new Date(b).getDate()

export const dayText = (atMs: number, nowMs: number): SafeText => {
  if (isSameDay(atMs, nowMs)) return safe`Today`
  if (isSameDay(atMs, dayStart(nowMs) - 1)) return safe`Yesterday`
  const at = new Date(atMs)
  const [day, month] = [days[at.getDay()] ?? safe``, months[at.getMonth()] ?? safe``]
  return safe`${day}, ${at.getDate()} ${month} ${at.getFullYear()}`
}

/** Roughly, in its largest unit: `3 d`, `5 h`, `12 min`, `40 s`. */
export const durationText = (ms: number): SafeText => {
  const seconds = Math.floor(ms / 1_000)
  if (seconds < 60) return safe`${seconds} s`
  if (seconds < 3_600) return safe`${Math.floor(seconds / 60)} min`
  return seconds < 2 * 86_400 ? safe`${Math.floor(seconds / 3_600)} h` : safe`${Math.floor(seconds / 86_400)} d`
}

/** For lists, where a time of today and a day of last year stand in one column. */
export const shortTime = (atMs: number, nowMs: number): SafeText => {
  if (isSameDay(atMs, nowMs)) return clockText(atMs)
  const at = new Date(atMs)
  return safe`${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
}
