// JSON objects over a socket, one a line. Bounds the length of a line; says when the other side is slow.
import type { Socket } from 'node:net'

const MAX_LINE_BYTES = 64 * 1024 * 1024

export class JsonLines {
  readonly #socket: Socket
  #parts: string[] = []
  #size = 0

  constructor(socket: Socket, onValue: (value: unknown) => void) {
    this.#socket = socket
    socket.setEncoding('utf8')
    socket.on('data', (chunk: string) => this.#read(chunk, onValue))
  }

  /** Resolves when there is room for more. */
  write(value: unknown): Promise<void> {
    if (this.#socket.destroyed || this.#socket.write(`${JSON.stringify(value)}\n`)) return Promise.resolve()
    return new Promise((resolve) => {
      const done = (): void => {
        this.#socket.off('drain', done).off('close', done)
        resolve()
      }
      this.#socket.on('drain', done).on('close', done)
    })
  }

  #read(chunk: string, onValue: (value: unknown) => void): void {
    const lines = chunk.split('\n')
    const rest = lines.pop() ?? ''
    for (const line of lines) {
      const text = this.#parts.join('') + line
      this.#parts = []
      this.#size = 0
      try {
        onValue(JSON.parse(text))
      } catch {
        this.#socket.destroy()
        return
      }
    }
    this.#parts.push(rest)
    this.#size += rest.length
    if (this.#size > MAX_LINE_BYTES) this.#socket.destroy()
  }
}
