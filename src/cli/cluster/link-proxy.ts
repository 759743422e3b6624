// One listening port for each ordered pair of nodes: what `from` dials to reach `to`. So a link can be cut for real, and nobody
// needs privileges. Bytes pass unread. A cut ends connections and refuses new ones; a blackhole lets nothing through and tells nobody.
import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net'

export type LinkMode = 'open' | 'reset' | 'blackhole'
export interface LinkOrder {
  from: string
  to: string
  /** Port of `to` on loopback. */
  target: number
  mode: LinkMode
}
export interface LinkReport extends LinkOrder {
  port: number
  connections: number
}

/** The two halves of one connection. */
interface Pair {
  near: Socket
  far: Socket
}

const HOST = '127.0.0.1'

class Link {
  readonly #server: Server
  readonly #pairs = new Set<Pair>()
  /** Accepted while nothing passes; they go on when the link is healed. */
  readonly #waiting = new Set<Socket>()
  order: LinkOrder

  constructor(order: LinkOrder) {
    this.order = order
    this.#server = createServer({ noDelay: true, pauseOnConnect: true }, (near) => this.#accept(near))
  }

  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen({ port: 0, host: HOST }, () => resolve())
    })
  }

  report(): LinkReport {
    const { port } = this.#server.address() as AddressInfo // it listens on TCP
    return { ...this.order, port, connections: this.#pairs.size }
  }

  set(order: LinkOrder): void {
    const before = this.order.mode
    this.order = order
    if (order.mode === before) return
    if (order.mode === 'reset') this.#endAll()
    if (order.mode === 'blackhole') for (const pair of this.#pairs) hold(pair)
    if (order.mode !== 'open') return
    for (const pair of this.#pairs) join(pair)
    for (const near of this.#waiting) this.#connect(near)
    this.#waiting.clear()
  }

  close(): void {
    this.#server.close()
    this.#endAll()
  }

  #accept(near: Socket): void {
    near.on('error', () => near.destroy())
    if (this.order.mode === 'reset') return void near.resetAndDestroy()
    if (this.order.mode === 'open') return this.#connect(near)
    this.#waiting.add(near)
    near.once('close', () => this.#waiting.delete(near))
  }

  #connect(near: Socket): void {
    const far = connect({ port: this.order.target, host: HOST, noDelay: true })
    const pair = { near, far }
    this.#pairs.add(pair)
    const end = (): void => {
      this.#pairs.delete(pair)
      near.destroy()
      far.destroy()
    }
    far.on('error', end)
    far.once('close', end)
    near.once('close', end)
    if (this.order.mode === 'open') join(pair)
  }

  #endAll(): void {
    for (const { near, far } of this.#pairs) {
      near.resetAndDestroy()
      far.resetAndDestroy()
    }
    for (const near of this.#waiting) near.resetAndDestroy()
    this.#pairs.clear()
    this.#waiting.clear()
  }
}

const join = ({ near, far }: Pair): void => {
  near.pipe(far)
  far.pipe(near)
}
const hold = ({ near, far }: Pair): void => {
  near.unpipe(far).pause()
  far.unpipe(near).pause()
}

const keyOf = (order: LinkOrder): string => `${order.from}>${order.to}`

export class LinkProxy {
  readonly #links = new Map<string, Link>()

  /** Makes the links exactly these; one that stays keeps its port and its connections. */
  async apply(orders: LinkOrder[]): Promise<LinkReport[]> {
    const wanted = new Set(orders.map(keyOf))
    for (const [key, link] of this.#links) {
      if (wanted.has(key)) continue
      link.close()
      this.#links.delete(key)
    }
    await Promise.all(orders.map((order) => this.#set(order)))
    return this.report()
  }

  report(): LinkReport[] {
    return [...this.#links.values()].map((link) => link.report())
  }

  close(): void {
    for (const link of this.#links.values()) link.close()
    this.#links.clear()
  }

  async #set(order: LinkOrder): Promise<void> {
    const known = this.#links.get(keyOf(order))
    if (known) return known.set(order)
    const link = new Link(order)
    this.#links.set(keyOf(order), link)
    await link.listen()
  }
}
