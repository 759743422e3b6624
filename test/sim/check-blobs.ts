// Invariant 10, and 7 as far as blobs go: what is stored can be fetched as it was sent, by everybody to whom it is shown, always; homes
// end with the same blobs; and nothing is thrown away against the rules.
import type { Check } from './checker.ts'

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

const gone: Check = {
  invariant: 10,
  name: 'shown, but its attachment is gone',
  isEventual: false,
  find: ({ history, end }) => [
    ...history
      .of('download')
      .filter(({ outcome }) => GONE.has(outcome))
      .map(({ id, proc, outcome, t }) => `${id} on ${proc} at ${t} ms: ${outcome}`),
    ...end.devices.flatMap(({ name, files }) =>
      files.filter(({ outcome }) => GONE.has(outcome)).map(({ id, outcome }) => `${id} on ${name}: ${outcome}`),
    ),
  ],
}

const unfetched: Check = {
  invariant: 10,
  name: 'an attachment cannot be fetched',
  isEventual: true,
  find: ({ end: { devices } }) =>
    devices.flatMap(({ name, files }) =>
      files.filter(({ outcome }) => outcome !== 'right').map(({ id, outcome }) => `${id} on ${name}: ${outcome}`),
    ),
}

const lacks: Check = {
  invariant: 7,
  name: 'a home lacks a blob',
  isEventual: true,
  find: ({ end: { blobs } }) =>
    blobs.flatMap(({ blob, homes, holders }) =>
      homes.filter((home) => !holders.includes(home)).map((home) => `${blob.slice(0, 8)} is not on ${home}`),
    ),
}

const collected: Check = {
  invariant: 10,
  name: 'a blob was thrown away against the rules',
  isEventual: false,
  find: ({ history }) => {
    // What came in whole and found no room for its row is nobody's yet: the home that takes it away told nobody that it has it.
    const told = new Set(history.of('blob').map(({ blob }) => blob))
    return history
      .of('collect')
      .filter(({ blob, pins, isFinal }) => pins > 0 || (!isFinal && told.has(blob)))
      .map(
        ({ blob, proc, pins, isFinal, t }) =>
          `${blob.slice(0, 8)} on ${proc} at ${t} ms, with ${pins} pins${isFinal ? '' : ', while the homes change'}`,
      )
  },
}

export const blobChecks: Check[] = [few, gone, unfetched, lacks, collected]
