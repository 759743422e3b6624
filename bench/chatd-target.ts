// Speaks chat.v1 directly, so that what is measured is the server and not the client library.
// Receipts as real clients send them: one append in flight per session, what arrives meanwhile joins the next.
import WebSocket from 'ws'
import { uuidv7 } from 'uuidv7'
import { fromBase64, fromUtf8, toBase64, toMapKey, toUtf8 } from '../src/protocol/bytes.ts'
import { type Certificate, makeCapability, openCertificate } from '../src/protocol/certificate.ts'
import type { ClusterMap } from '../src/protocol/cluster-map.ts'
import { CONTENT_TYPE, encodeContent } from '../src/protocol/content.ts'
import { deviceTranscript } from '../src/protocol/handshake.ts'
import { encodeGroup, nextState } from '../src/protocol/group.ts'
import { limits } from '../src/protocol/limits.ts'
import { conversationOf, isGroupId } from '../src/protocol/names.ts'
import { splitKeys } from '../src/protocol/records.ts'
import { openHeader, openBody, seal } from '../src/protocol/sealed.ts'
import { fastSigner, keyPairFromSeed } from '../src/protocol/signing.ts'
import { systemRandom } from '../src/platform/system.ts'
import { type LoadSession, type LoadTarget, textOf } from './session.ts'

interface Frame {
  t: string
  id?: number
  [field: string]: unknown
}
const SUBPROTOCOL = 'chat.v1'
/** Where in the header's JSON the index of a prepared message stands; its place saves a parse. */
const INDEX = /"ix":(\d+)/

class RawSocket {
  readonly socket: WebSocket
  #nextId = 1
  readonly #waiting = new Map<number, { resolve: (frame: Frame) => void; reject: (error: Error) => void }>()
  onFrame: (frame: Frame) => void = () => {}

  private constructor(socket: WebSocket) {
    this.socket = socket
    socket.on('message', (data) => this.#receive(JSON.parse(textOf(data)) as Frame))
    socket.on('close', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('closed'))
    })
  }

  static open(url: string): Promise<RawSocket> {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(url, SUBPROTOCOL, { perMessageDeflate: false })
      socket.on('error', reject)
      socket.on('open', () => resolve(new RawSocket(socket)))
    })
  }

  request(t: string, fields: Record<string, unknown>): Promise<Frame> {
    const id = this.#nextId++
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      this.socket.send(JSON.stringify({ t, id, ...fields }))
    })
  }

  #receive(frame: Frame): void {
    const waiting = frame.id === undefined ? undefined : this.#waiting.get(frame.id)
    if (!waiting || frame.id === undefined) return this.onFrame(frame)
    this.#waiting.delete(frame.id)
    if (frame.t === 'error') waiting.reject(new Error(`${String(frame.code)}: ${String(frame.message)}`))
    else waiting.resolve(frame)
  }
}

interface Account {
  user: string
  sign: (message: Uint8Array) => Uint8Array
  certificate: Certificate
  sequences: Map<string, number>
}

export class ChatdTarget implements LoadTarget {
  readonly #url: string
  readonly #accounts = new Map<string, Account>()
  #cluster = ''

  constructor(url: string) {
    this.#url = url
  }

  async register(users: string[]): Promise<void> {
    for (const user of users) await this.#registerOne(user)
  }

  async #registerOne(user: string): Promise<void> {
    const socket = await RawSocket.open(this.#url)
    const reply = await socket.request('auth.map', {})
    const map = JSON.parse(fromUtf8(openBody(fromBase64(String(reply.map))))) as ClusterMap // the cluster under test made it
    this.#cluster = map.cluster
    const keys = keyPairFromSeed(systemRandom.bytes(32))
    const sign = fastSigner(keys.secretKey)
    const header = { k: 'claim', key: toBase64(keys.publicKey), name: user, at: Date.now() }
    const claim = toBase64(seal({ cluster: this.#cluster, header, sign }))
    const { certificate } = await socket.request('auth.register', { claim })
    const opened = openCertificate(fromBase64(String(certificate)), this.#cluster)
    this.#accounts.set(user, { user, sign, certificate: opened, sequences: new Map() })
    socket.socket.terminate()
  }

  async makeGroup(name: string, users: string[]): Promise<string> {
    const account = this.#accounts.get(users[0] ?? '')
    if (!account) throw new Error('a group needs a registered owner')
    const group = `#${uuidv7()}`
    const { user: from, certificate, sign } = account
    const state = nextState(undefined, { by: from, change: 'create', name, users }, group)
    const author = { id: uuidv7(), from, dev: certificate.dev, to: group, at: Date.now() }
    const header = { k: 'group', ...author, v: state.version, change: 'create' }
    const record = toBase64(seal({ cluster: this.#cluster, header, body: encodeGroup(state), sign }))
    const raw = await RawSocket.open(this.#url)
    await this.#handshake(raw, account)
    await raw.request('group.propose', { record })
    raw.socket.terminate()
    return group
  }

  async login(user: string, { receipts = false } = {}): Promise<LoadSession> {
    const account = this.#accounts.get(user)
    if (!account) throw new Error(`${user} is not registered`)
    const raw = await RawSocket.open(this.#url)
    await this.#handshake(raw, account)
    return new ChatdSession({ raw, account, cluster: this.#cluster, receipts }).opened()
  }

  /** What attachments need: it is good until `close`. */
  async mediaToken(user: string): Promise<{ token: string; close: () => void }> {
    const account = this.#accounts.get(user)
    if (!account) throw new Error(`${user} is not registered`)
    const raw = await RawSocket.open(this.#url)
    await this.#handshake(raw, account)
    const { token } = await raw.request('media.token', {})
    return { token: String(token), close: () => raw.socket.terminate() }
  }

  /** Milliseconds from connecting to the frame with the last of `count` records: ids first, bodies of what is not there yet. */
  async readBacklog(user: string, count: number): Promise<number> {
    const account = this.#accounts.get(user)
    if (!account) throw new Error(`${user} is not registered`)
    const started = performance.now()
    const raw = await RawSocket.open(this.#url)
    await this.#handshake(raw, account)
    await new Promise<void>((resolve, reject) => {
      const asked = new Set<string>()
      const have = new Set<string>()
      const got = (records: unknown): void => {
        for (const [sealed] of records as [string, number][]) have.add(sealed) // as frames.ts declares
        if (have.size >= count) resolve()
      }
      const fetch = async (home: unknown, keys: Buffer[]): Promise<void> => {
        const reply = await raw.request('feed.fetch', { home, keys: toBase64(Buffer.concat(keys)) })
        got(reply.records)
      }
      raw.onFrame = (frame) => {
        if (frame.t === 'record.push') return got(frame.records)
        if (frame.t !== 'feed.page') return
        if (frame.records) return got(frame.records)
        const fresh = splitKeys(fromBase64(String(frame.keys))).filter((key) => !asked.has(toMapKey(key)))
        for (const key of fresh) asked.add(toMapKey(key))
        for (let i = 0; i < fresh.length; i += limits.maxFetchKeys) {
          fetch(frame.home, fresh.slice(i, i + limits.maxFetchKeys)).catch(reject)
        }
      }
      raw.request('feed.open', { cursors: {} }).catch(reject)
    })
    const took = performance.now() - started
    raw.socket.terminate()
    return took
  }

  async #handshake(raw: RawSocket, account: Account): Promise<void> {
    const clientNonce = toBase64(systemRandom.bytes(32))
    const certificate = toBase64(account.certificate.sealed)
    const challenge = await raw.request('auth.hello', { certificate, nonce: clientNonce })
    const gateway = String(challenge.gateway)
    const transcript = {
      cluster: this.#cluster,
      gateway,
      user: account.user,
      device: account.certificate.dev,
      clientNonce,
      gatewayNonce: String(challenge.nonce),
    }
    const capability = makeCapability({
      cluster: this.#cluster,
      certificate: account.certificate,
      gateway,
      expiresAt: Date.now() + limits.capabilityMs,
      sign: account.sign,
    })
    await raw.request('auth.prove', {
      signature: toBase64(account.sign(deviceTranscript(transcript))),
      capability: toBase64(capability),
    })
  }
}

interface SessionOptions {
  raw: RawSocket
  account: Account
  cluster: string
  receipts: boolean
}
class ChatdSession implements LoadSession {
  readonly user: string
  onStored: (index: number) => void = () => {}
  onDelivered: (index: number) => void = () => {}
  readonly #options: SessionOptions
  /** seqs to acknowledge by conversation. */
  #unreceipted: { from: string; dev: string; seq: number }[] = []
  #receiptInFlight = false

  constructor(options: SessionOptions) {
    this.#options = options
    this.user = options.account.user
    options.raw.onFrame = (frame) => this.#frame(frame)
  }

  async opened(): Promise<this> {
    await this.#options.raw.request('feed.open', { cursors: {} })
    return this
  }

  prepare(to: string, index: number, text: string): string {
    const { account, cluster } = this.#options
    const conv = conversationOf(account.user, to)
    const seq = (account.sequences.get(conv) ?? 0) + 1
    account.sequences.set(conv, seq)
    const header = {
      k: 'msg',
      id: uuidv7(),
      from: account.user,
      dev: account.certificate.dev,
      to,
      conv,
      seq,
      at: Date.now(),
      ct: CONTENT_TYPE,
      ...(isGroupId(to) ? { gv: 1 } : {}),
      ix: index,
    }
    const sealed = seal({ cluster, header, body: encodeContent({ text }), sign: account.sign })
    return JSON.stringify({ t: 'record.put', id: 1_000_000 + index, record: toBase64(sealed) })
  }

  send(prepared: string): void {
    this.#options.raw.socket.send(prepared)
  }

  close(): void {
    this.#options.raw.socket.terminate()
  }

  #frame(frame: Frame): void {
    if (frame.t === 'record.stored' && Number(frame.id) >= 1_000_000) return this.onStored(Number(frame.id) - 1_000_000)
    if (frame.t === 'error') throw new Error(`${this.user}: ${String(frame.code)} ${String(frame.message)}`)
    if (frame.t !== 'record.push') return
    for (const [sealed] of frame.records as [string, number][]) this.#delivered(fromBase64(sealed)) // as frames.ts declares
  }

  #delivered(sealed: Buffer): void {
    const text = sealed.toString('latin1', 64, sealed.indexOf(0x0a, 64))
    const index = INDEX.exec(text)?.[1]
    if (index === undefined) return
    this.onDelivered(Number(index))
    if (!this.#options.receipts) return
    const header = openHeader(sealed)
    this.#unreceipted.push({ from: String(header.from), dev: String(header.dev), seq: Number(header.seq) })
    void this.#sendReceipts()
  }

  async #sendReceipts(): Promise<void> {
    if (this.#receiptInFlight || this.#unreceipted.length === 0) return
    this.#receiptInFlight = true
    const { account, cluster, raw } = this.#options
    const batch = this.#unreceipted.splice(0)
    const sender = batch[0]?.from ?? ''
    const seqs = batch.map((item) => item.seq)
    const header = {
      k: 'rcpt',
      id: uuidv7(),
      from: account.user,
      dev: account.certificate.dev,
      to: sender,
      conv: conversationOf(account.user, sender),
      st: 'received',
      r: [[batch[0]?.dev, Math.min(...seqs), Math.max(...seqs)]],
      at: Date.now(),
    }
    await raw
      .request('record.put', { record: toBase64(seal({ cluster, header, body: toUtf8(''), sign: account.sign })) })
      .catch(() => {})
    this.#receiptInFlight = false
    void this.#sendReceipts()
  }
}
