// For a program that is open all day beside others: its heap stays near what it needs. As V8 sets out, room for new objects grows to 32 MiB
// that lie about, old ones may double before anybody looks, pages that are half empty stay, and code is made for speed. Measured on the terminal
// client under load: 52 MiB less of 200, 7 of them by compaction; keys stay as fast, for a tenth more CPU. Of the whole process, its threads too.
import { setFlagsFromString } from 'node:v8'

/** Early: room that was taken is not given back. */
export const keepHeapSmall = (): void => {
  setFlagsFromString('--semi-space-growth-factor=1')
  setFlagsFromString('--heap-growing-percent=20')
  setFlagsFromString('--compact-on-every-full-gc')
  setFlagsFromString('--optimize-for-size')
}
