// Points in time as people type them: a day, a weekday, a time of today. Pure but for the zone of this machine.

const weekdays = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday']

const dayBefore = (nowMs: number, days: number): Date => {
  const day = new Date(nowMs)
  day.setHours(0, 0, 0, 0)
  day.setDate(day.getDate() - days)
  return day
}

const dayOf = (word: string, nowMs: number): Date | undefined => {
  if (word === 'today') return dayBefore(nowMs, 0)
  if (word === 'yesterday') return dayBefore(nowMs, 1)
  const weekday = word.length < 3 ? -1 : weekdays.findIndex((name) => name.startsWith(word))
  if (weekday >= 0) return dayBefore(nowMs, (new Date(nowMs).getDay() - weekday + 7) % 7 || 7)
  const [, year, month, day] = /^(\d{4})-(\d{1,2})-(\d{1,2})$/.exec(word) ?? []
  if (year === undefined) return undefined
  const date = new Date(Number(year), Number(month) - 1, Number(day))
  // The 31st of a shorter month would be a day of the next.
  return date.getDate() === Number(day) ? date : undefined
}

/** `yesterday`, `monday`, `2026-11-23`, each also with `14:30`, or a time alone; milliseconds since 1970. */
export const parseWhen = (text: string, nowMs: number): number | undefined => {
  const [first = '', second] = text.trim().toLowerCase().split(/\s+/)
  const isTime = first.includes(':')
  const day = isTime ? dayBefore(nowMs, 0) : dayOf(first, nowMs)
  const time = isTime ? first : (second ?? '0:00')
  const [, hours, minutes] = /^(\d{1,2}):(\d{2})$/.exec(time) ?? []
  if (!day || hours === undefined || Number(hours) > 23 || Number(minutes) > 59) return undefined
  return day.setHours(Number(hours), Number(minutes))
}
