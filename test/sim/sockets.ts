// Clients' connections: the door of each gateway and the way clients dial it, over links that keep order, stall and break.
// Frames are texts; a connection that breaks loses what was under way, so half a frame never arrives.
import { ChatError } from '../../src/protocol/errors.ts'
import type { Dial, GatewayLinkHandlers } from '../../src/client/ports.ts'
import type { ClientListener, ClientRequestHandler, ClientSocketHandlers } from '../../src/node/core/ports.ts'
import type { Life } from './life.ts'
import { Link, type LinkTimes } from './link.ts'
import type { SeededRandom } from './random.ts'
import type { Scheduler } from './scheduler.ts'

type OnSocket = Parameters<ClientListener['start']>[0]
export interface Door {
  life: Life
  onSocket: OnSocket
  onRequest: ClientRequestHandler
  isAccepting: boolean
}
/** A live connection, as the faults see it. */
export interface SocketLink {
  client: string
  gateway: string
  link: Link
}
export interface SocketTap {
  /** Each frame as the client hears it, and as it sends it. */
  toClient(client: string, text: string): void
  fromClient(client: string, text: string): void
}

export interface SocketsOptions {
  scheduler: Scheduler
  random: SeededRandom
  times: LinkTimes
  tap: SocketTap
}

/** Nobody answers: the operating system gives a dial up. */
const DIAL_TIMEOUT_MS = 4_000

export class Sockets {
  readonly #options: SocketsOptions
  readonly #doors = new Map<string, Door>()
  readonly open = new Set<SocketLink>()
  /** Pairs "client gateway" between which nothing passes. */
  readonly #cuts = new Set<string>()

  constructor(options: SocketsOptions) {
    this.#options = options
  }

  listener(gateway: string, life: Life): ClientListener {
    const url = `ws://${gateway}`
    const onRequest: ClientRequestHandler = async () => ({ status: 503, headers: {} })
    const door: Door = { life, onSocket: () => ({ message() {}, closed() {} }), onRequest, isAccepting: false }
    return {
      start: async (onSocket, handler = onRequest) => {
        this.#doors.set(url, Object.assign(door, { onSocket, onRequest: handler, isAccepting: true }))
        return { url }
      },
      stopAccepting: () => {
        door.isAccepting = false
      },
      stop: async () => {
        door.isAccepting = false
        for (const { link, gateway: name } of this.open) if (name === gateway) link.close(1)
      },
    }
  }

  dial(client: string, life: Life): Dial {
    return (url, handlers) => {
      const { random, times } = this.#options
      return new Promise((resolve, reject) => {
        const refuse = (): void => reject(new ChatError('NET_UNAVAILABLE'))
        life.after(random.latency(times.delayMs, times.worstMs) * 2, () => {
          const door = this.#doors.get(url)
          const isReachable = !this.#cuts.has(`${client} ${url.slice('ws://'.length)}`)
          if (isReachable && door?.isAccepting && door.life.isRunning)
            resolve(this.#connect(client, life, { url, door, handlers }))
          else if (isReachable && (!door || door.life.isDead || !door.life.isPaused)) refuse()
          else life.after(DIAL_TIMEOUT_MS, refuse)
        })
      })
    }
  }

  /** How long one part of a request takes. */
  latency(): number {
    const { random, times } = this.#options
    return random.latency(times.delayMs, times.worstMs)
  }

  /** For a request beside the connection: where there is a way, and somebody to answer. */
  doorFor(client: string, url: string): Door | undefined {
    const door = this.#doors.get(url)
    const isCut = this.#cuts.has(`${client} ${url.slice('ws://'.length)}`)
    return door && !isCut && !door.life.isDead ? door : undefined
  }

  setCut(client: string, gateway: string, isCut: boolean): void {
    const key = `${client} ${gateway}`
    if (isCut) this.#cuts.add(key)
    else this.#cuts.delete(key)
    for (const socket of this.open) {
      if (socket.client !== client || socket.gateway !== gateway) continue
      socket.link.setCut(0, isCut)
      socket.link.setCut(1, isCut)
    }
  }

  healAll(): void {
    for (const key of [...this.#cuts]) {
      const [client = '', gateway = ''] = key.split(' ')
      this.setCut(client, gateway, false)
    }
  }

  #connect(
    client: string,
    life: Life,
    { url, door, handlers }: { url: string; door: Door; handlers: GatewayLinkHandlers },
  ): Awaited<ReturnType<Dial>> {
    const { scheduler, random, times, tap } = this.#options
    const gateway = url.slice('ws://'.length)
    let served: ClientSocketHandlers | undefined
    const link: Link = new Link({
      scheduler,
      random,
      times,
      ends: [
        {
          life,
          receive: (text) => {
            tap.toClient(client, String(text))
            handlers.message(String(text))
          },
          closed: () => handlers.closed('the connection broke'),
        },
        {
          life: door.life,
          receive: (text) => {
            served?.message(String(text))
          },
          closed: () => served?.closed(),
        },
      ],
      onOver: () => this.open.delete(socket),
    })
    const socket: SocketLink = { client, gateway, link }
    this.open.add(socket)
    door.life.run(() => {
      served = door.onSocket({
        remote: client,
        bufferedBytes: 0,
        send: (text) => link.send(1, text),
        close: () => {
          if (!link.isOpen(1)) return
          link.close(1)
          door.life.after(1, () => served?.closed())
        },
        authenticated() {},
      })
    })
    const send = (text: string): void => {
      tap.fromClient(client, text)
      link.send(0, text)
    }
    return { bufferedBytes: 0, send, close: () => link.close(0) }
  }
}
