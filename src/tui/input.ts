// Turns what a terminal sends into events, the one place that reads bytes: text, named keys, pastes, focus reports.
// A chunk is any piece of the stream: `hello\r` is text and Enter, an escape sequence or a paste may come in pieces.
// It must not know what a key means. Replies of the terminal are no input: those about itself go to whoever asked, others nowhere.

export type InputEvent =
  | { type: 'text'; text: string }
  /** Names like `enter`, `ctrl-a`, `alt-u`, `alt-left`, `pageup`. */
  | { type: 'key'; key: string }
  | { type: 'paste'; text: string }
  | { type: 'focus'; isFocused: boolean }
  /** The wheel, or the first button; cells from the upper left corner, from 0. */
  | { type: 'mouse'; does: 'up' | 'down' | 'press'; x: number; y: number }

export interface InputDecoder {
  push(chunk: string): InputEvent[]
  /** True when a sequence may be going on; call flush when nothing follows within some 30 ms. */
  isPending(): boolean
  /** What was held back, as it stands: a lone ESC is the Escape key. */
  flush(): InputEvent[]
}

const ESC = '\x1b'
const PASTE_BEGIN = '\x1b[200~'
const PASTE_END = '\x1b[201~'
/** Far more than a message can hold; a paste that never ends must not fill the memory. */
const MAX_PASTE = 1024 * 1024

const controls: Record<string, string> = {
  '\r': 'enter',
  '\n': 'ctrl-j',
  '\t': 'tab',
  '\x7f': 'backspace',
  '\b': 'backspace',
  '\0': 'ctrl-space',
}
const finals: Record<string, string> = {
  A: 'up',
  B: 'down',
  C: 'right',
  D: 'left',
  F: 'end',
  H: 'home',
  M: 'enter',
  Z: 'shift-tab',
}
const tildes: Record<string, string> = {
  1: 'home',
  3: 'delete',
  4: 'end',
  5: 'pageup',
  6: 'pagedown',
  7: 'home',
  8: 'end',
}
/** xterm's modifier parameter is 1 + shift 1 + alt 2 + ctrl 4. */
const modified = (key: string, modifier: number): string => {
  const bits = modifier > 1 ? modifier - 1 : 0
  return `${bits & 4 ? 'ctrl-' : ''}${bits & 2 ? 'alt-' : ''}${bits & 1 ? 'shift-' : ''}${key}`
}

const controlKey = (character: string): string =>
  controls[character] ?? `ctrl-${String.fromCharCode(character.charCodeAt(0) + 0x60)}`

const isControl = (character: string): boolean => /\p{Cc}/u.test(character)

/** Of xterm's buttons, by number; those with modifiers are left to nobody. */
const buttons: Record<string, 'up' | 'down' | 'press'> = { 0: 'press', 64: 'up', 65: 'down' }
const mouseEvent = (parameters: string, final: string): InputEvent | undefined => {
  const [button = '', x, y] = parameters.slice(1).split(';')
  const does = final === 'M' ? buttons[button] : undefined
  return does && { type: 'mouse', does, x: Number(x) - 1, y: Number(y) - 1 }
}

const csiEvent = (parameters: string, final: string): InputEvent | undefined => {
  if (parameters.startsWith('<')) return mouseEvent(parameters, final)
  if (parameters === '' && (final === 'I' || final === 'O')) return { type: 'focus', isFocused: final === 'I' }
  const [first = '', modifier = '1'] = parameters.split(';')
  const name = final === '~' ? tildes[first] : finals[final]
  return name === undefined ? undefined : { type: 'key', key: modified(name, Number(modifier)) }
}

/** OSC, DCS, PM, SOS and APC go on to BEL or ESC \\. */
const stringEnd = (body: string): number => {
  const ends = ['\x07', '\x1b\\'].map((end) => ({ at: body.indexOf(end), length: end.length }))
  const [first] = ends.filter(({ at }) => at >= 0).sort((a, b) => a.at - b.at)
  return first ? first.at + first.length : -1
}

/** What it has (`c`), how large it is (`t`): parameters and final. */
const replyOf = (sequence: string): string | undefined => /^\[([?\d;]*[ct])$/.exec(sequence.slice(1))?.[1]

/** The event and the length of the sequence at the beginning of `input`; undefined while it is not complete. */
const escapeSequence = (input: string): { event: InputEvent | undefined; length: number } | undefined => {
  const body = input.slice(1)
  const kind = body.charAt(0)
  if (kind === '') return undefined
  if (kind === '[') {
    const match = /^\[([0-?]*)[ -/]*([@-~])/.exec(body)
    if (match) return { event: csiEvent(match[1] ?? '', match[2] ?? ''), length: 1 + match[0].length }
    return /^\[[0-?]*[ -/]*$/.test(body) ? undefined : { event: undefined, length: 2 }
  }
  if (kind === 'O') {
    const final = body.charAt(1)
    return final === '' ? undefined : { event: csiEvent('1', final), length: 3 }
  }
  if (']P_^X'.includes(kind)) {
    const end = stringEnd(body)
    return end < 0 ? undefined : { event: undefined, length: 1 + end }
  }
  if (kind === ESC) return { event: { type: 'key', key: 'escape' }, length: 1 }
  const character = String.fromCodePoint(body.codePointAt(0) ?? 0)
  const key = isControl(character) ? controlKey(character) : character
  return { event: { type: 'key', key: `alt-${key}` }, length: 1 + character.length }
}

/** As typed: line breaks of any kind become \n, controls have no business in a message. */
export const pasted = (text: string): string => text.replace(/\r\n?/g, '\n').replace(/[^\P{Cc}\n\t]/gu, '')

class Decoder implements InputDecoder {
  readonly #onReply: (reply: string) => void
  #pending = ''
  #paste: string | undefined

  constructor(onReply: (reply: string) => void) {
    this.#onReply = onReply
  }

  push(chunk: string): InputEvent[] {
    const events: InputEvent[] = []
    let rest = this.#pending + chunk
    this.#pending = ''
    while (rest !== '') {
      const taken = this.#paste === undefined ? this.#take(rest, events) : this.#takePaste(rest, events)
      if (taken === 0) break
      rest = rest.slice(taken)
    }
    this.#pending = rest
    return events
  }

  isPending(): boolean {
    return this.#pending !== '' && this.#paste === undefined
  }

  flush(): InputEvent[] {
    const held = this.#pending
    this.#pending = ''
    return held === ESC ? [{ type: 'key', key: 'escape' }] : []
  }

  /** How much of `input` became events; 0 while more is needed. */
  #take(input: string, events: InputEvent[]): number {
    const text = /^\P{Cc}+/u.exec(input)?.[0]
    if (text !== undefined) {
      events.push({ type: 'text', text })
      return text.length
    }
    if (input.startsWith(PASTE_BEGIN)) {
      this.#paste = ''
      return PASTE_BEGIN.length
    }
    if (!input.startsWith(ESC)) {
      if (input.charCodeAt(0) < 0x80) events.push({ type: 'key', key: controlKey(input.charAt(0)) })
      return 1
    }
    const sequence = escapeSequence(input)
    if (sequence?.event) events.push(sequence.event)
    const reply = sequence && replyOf(input.slice(0, sequence.length))
    if (reply !== undefined) this.#onReply(reply)
    return sequence?.length ?? 0
  }

  #takePaste(input: string, events: InputEvent[]): number {
    const all = (this.#paste ?? '') + input
    const end = all.indexOf(PASTE_END)
    if (end < 0) {
      // The last bytes stay: the mark of the end may come in two pieces.
      this.#paste = all.length > MAX_PASTE ? all.slice(0, MAX_PASTE) + all.slice(-PASTE_END.length) : all
      return input.length
    }
    events.push({ type: 'paste', text: pasted(all.slice(0, end)) })
    const taken = end + PASTE_END.length - (all.length - input.length)
    this.#paste = undefined
    return taken
  }
}

export const createInputDecoder = (onReply: (reply: string) => void = () => {}): InputDecoder => new Decoder(onReply)
