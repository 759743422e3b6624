// Invariant 10, and 7 as far as blobs go: what is stored can be fetched as it was sent, by everybody to whom it is shown, always; homes
// end with the same blobs; and nothing is thrown away against the rules.
import type { Check } from './checker.ts'
import type { History } from './history.ts'

const few: Check = {
  invariant: 10,
  name: 'too few copies of a blob',
  isEventual: false,
  find: ({ history }) =>
    history
      .of('blob')
      .filter(({ found, needed }) => found < needed)
      .map(
        ({ blob, because, t, found, needed }) =>
          `${blob.slice(0, 8)} was ${because} at ${t} ms on ${found} homes instead of ${needed}`,
      ),
}

/** Errors that say: it is not there, or not that. All others say that nobody could be asked. */
const GONE = new Set(['BLOB_UNKNOWN', 'BLOB_HASH', 'FILE_UNKNOWN', 'wrong'])

/** When somebody first asked to delete his own message, which lets its attachments go. */
const deletionsIn = (history: History): Map<string, number> => {
  const asked = new Map<string, number>()
  for (const { what, user, from, id, t } of history.of('refer'))
    if (what === 'delete' && user === from && !asked.has(id)) asked.set(id, t)
  return asked
}

const gone: Check = {
  invariant: 10,
  name: 'shown, but its attachment is gone',
  isEventual: false,
  find: ({ history, end }) => {
    const deleted = deletionsIn(history)
    return [
      ...history
        .of('download')
        .filter(({ id, t, outcome }) => GONE.has(outcome) && !((deleted.get(id) ?? Infinity) <= t))
        .map(({ id, proc, outcome, t }) => `${id} on ${proc} at ${t} ms: ${outcome}`),
      ...end.devices.flatMap(({ name, files }) =>
        files
          .filter(({ id, outcome }) => GONE.has(outcome) && !deleted.has(id))
          .map(({ id, outcome }) => `${id} on ${name}: ${outcome}`),
      ),
    ]
  },
}

/** Whoever was put out of a group does not hear of what is deleted there afterwards: he still lists it, and its attachment is gone. */
const isDeletedInGroup = (history: History): ((id: string) => boolean) => {
  const inGroups = new Set(history.of('refer').flatMap(({ to, id }) => (to.startsWith('#') ? [id] : [])))
  const deleted = deletionsIn(history)
  return (id) => inGroups.has(id) && deleted.has(id)
}

const unfetched: Check = {
  invariant: 10,
  name: 'an attachment cannot be fetched',
  isEventual: true,
  find: ({ history, end: { devices } }) => {
    const isGone = isDeletedInGroup(history)
    return devices.flatMap(({ name, files }) =>
      files
        .filter(({ id, outcome }) => outcome !== 'right' && !isGone(id))
        .map(({ id, outcome }) => `${id} on ${name}: ${outcome}`),
    )
  },
}

const lacks: Check = {
  invariant: 7,
  name: 'a home lacks a blob',
  isEventual: true,
  find: ({ history, end: { blobs, devices } }) => {
    const isGone = isDeletedInGroup(history)
    const files = devices.flatMap((device) => device.files).filter(({ id }) => !isGone(id))
    const wanted = new Set(files.map(({ blob }) => blob))
    return blobs
      .filter(({ blob }) => wanted.has(blob))
      .flatMap(({ blob, homes, holders }) =>
        homes.filter((home) => !holders.includes(home)).map((home) => `${blob.slice(0, 8)} is not on ${home}`),
      )
  },
}

const collected: Check = {
  invariant: 10,
  name: 'a blob was thrown away against the rules',
  isEventual: false,
  find: ({ history }) => {
    // What came in whole and found no room for its row is nobody's yet: the home that takes it away has told nobody that it has it.
    const toldAt = new Map(
      history
        .of('blob')
        .map(({ blob, t }) => [blob, t] as const)
        .reverse(),
    )
    const deleted = deletionsIn(history)
    return history.of('collect').flatMap(({ blob, proc, pins, ended, isFinal, t }) => {
      const undeleted = ended.filter((id) => !((deleted.get(id) ?? Infinity) <= t))
      if (pins === 0 && undeleted.length === 0 && (isFinal || (toldAt.get(blob) ?? Infinity) > t)) return []
      const why = `with ${pins} pins, ${undeleted.length} ended of messages that nobody deleted`
      return [`${blob.slice(0, 8)} on ${proc} at ${t} ms, ${why}${isFinal ? '' : ', while the homes change'}`]
    })
  },
}

const kept: Check = {
  invariant: 7,
  name: 'a deleted message keeps its attachment',
  isEventual: true,
  find: ({ history, end }) => {
    const mine = history
      .of('refer')
      .filter(({ what, user, from, type }) => what === 'delete' && user === from && type === 'ok')
    const deleted = new Set(mine.map(({ id }) => id))
    return end.pins.filter(({ id }) => deleted.has(id)).map(({ home, id }) => `${id} on ${home}`)
  },
}

export const blobChecks: Check[] = [few, gone, unfetched, lacks, collected, kept]
