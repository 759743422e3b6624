// A client of chat.v1 by hand, without any of the client library's care: for tests that send what no honest client sends.
// It does what it is told; what was registered is a Person, who signs whatever a test wants signed.
import { uuidv7 } from 'uuidv7'
import WebSocket, { type ClientOptions } from 'ws'
import { systemRandom } from '../../src/platform/system.ts'
import { fromBase64, fromUtf8, toBase64, toUtf8 } from '../../src/protocol/bytes.ts'
import { type Certificate, makeCapability, openCertificate } from '../../src/protocol/certificate.ts'
import type { ClusterMap } from '../../src/protocol/cluster-map.ts'
import { CONTENT_TYPE, encodeContent } from '../../src/protocol/content.ts'
import { deviceTranscript, SUBPROTOCOL } from '../../src/protocol/handshake.ts'
import { limits } from '../../src/protocol/limits.ts'
import { conversationOf } from '../../src/protocol/names.ts'
import { openBody, openHeader, seal, type SealedHeader } from '../../src/protocol/sealed.ts'
import { fastSigner, type KeyPair, keyPairFromSeed } from '../../src/protocol/signing.ts'
import { eventually } from '../eventually.ts'

export interface Frame {
  t: string
  id?: number
  code?: string
  [field: string]: unknown
}
export interface Closed {
  code: number
  reason: string
}
type Fields = Record<string, unknown>
type Header = SealedHeader & Fields

/** The error's code, or the type of any other frame. */
export const answerOf = (frame: Frame): string => frame.code ?? frame.t

export class RawClient {
  readonly socket: WebSocket
  /** All that came and was not the answer to a request. */
  readonly frames: Frame[] = []
  readonly closed: Promise<Closed>
  readonly #waiting = new Map<number, (frame: Frame) => void>()
  #nextId = 1

  private constructor(socket: WebSocket) {
    this.socket = socket
    socket.on('error', () => {})
    socket.on('message', (data) => this.#receive(JSON.parse((data as Buffer).toString('utf8')) as Frame)) // what gateways send
    this.closed = new Promise((resolve) => {
      socket.on('close', (code, reason) => resolve({ code, reason: reason.toString('utf8') }))
    })
  }

  static open(url: string, options: ClientOptions = {}): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(url, SUBPROTOCOL, { perMessageDeflate: false, ...options })
      socket.on('error', reject)
      socket.on('open', () => resolve(client))
      const client = new RawClient(socket)
    })
  }

  /** Any answer with the request's id, errors too; a frame `closed` when the connection ends before. */
  request(t: string, fields: Fields = {}): Promise<Frame> {
    const id = this.#nextId++
    const answer = new Promise<Frame>((resolve) => this.#waiting.set(id, resolve))
    this.socket.send(JSON.stringify({ ...fields, t, id }))
    return Promise.race([answer, this.closed.then((closed): Frame => ({ t: 'closed', ...closed }) as unknown as Frame)])
  }

  /** The first frame of this kind that came unasked. */
  next(holds: (frame: Frame) => boolean): Promise<Frame> {
    return eventually(() => this.frames.find(holds)) as Promise<Frame> // truthy
  }

  /** The error without id that answers raw text. */
  async refusalOf(text: string | Buffer): Promise<string> {
    const before = this.frames.length
    this.socket.send(text, { binary: false })
    return answerOf((await eventually(() => this.frames[before])) ?? { t: 'nothing' })
  }

  end(): void {
    this.socket.terminate()
  }

  #receive(frame: Frame): void {
    const resolve = frame.id === undefined ? undefined : this.#waiting.get(frame.id)
    if (!resolve) return void this.frames.push(frame)
    this.#waiting.delete(Number(frame.id))
    resolve(frame)
  }
}

/** The cluster's id as a gateway tells it. */
export const clusterOf = async (client: RawClient): Promise<string> => {
  const { map } = await client.request('auth.map')
  return (JSON.parse(fromUtf8(openBody(fromBase64(String(map))))) as ClusterMap).cluster // the cluster under test made it
}

export interface Shaken {
  challenge: Frame
  nonce: string
  signature: string
  capability: string
}

/** A device with its key, and its certificate once it has one. */
export class Person {
  readonly cluster: string
  readonly keys: KeyPair
  readonly sign: (message: Uint8Array) => Uint8Array
  #certificate: Certificate | undefined
  #seq = 0

  constructor(cluster: string) {
    this.cluster = cluster
    this.keys = keyPairFromSeed(systemRandom.bytes(32))
    this.sign = fastSigner(this.keys.secretKey)
  }

  static async register(url: string, user: string): Promise<Person> {
    const client = await RawClient.open(url)
    const person = new Person(await clusterOf(client))
    const answer = await client.request('auth.register', { claim: person.claim({ name: user }) })
    client.end()
    if (answer.t === 'error') throw new Error(`${user}: ${answerOf(answer)}`)
    person.certify(answer)
    return person
  }

  /** From `auth.certified`. */
  certify({ certificate }: Frame): void {
    this.#certificate = openCertificate(fromBase64(String(certificate)), this.cluster)
  }

  get certificate(): Certificate {
    if (!this.#certificate) throw new Error('not registered')
    return this.#certificate
  }
  get user(): string {
    return this.certificate.user
  }
  get device(): string {
    return this.certificate.dev
  }

  seal(header: Header, body: Uint8Array | string = ''): Buffer {
    const bytes = typeof body === 'string' ? toUtf8(body) : body
    return seal({ cluster: this.cluster, header, body: bytes, sign: this.sign })
  }

  claim(fields: Fields): string {
    return toBase64(this.seal({ k: 'claim', key: toBase64(this.keys.publicKey), at: Date.now(), ...fields }))
  }

  capability(gateway: string, expiresAt = Date.now() + limits.capabilityMs): string {
    const { cluster, certificate, sign } = this
    return toBase64(makeCapability({ cluster, certificate, gateway, expiresAt, sign }))
  }

  /** A whole and honest message; `fields` replace or take out (undefined) what a test is about. */
  message(to: string, text: string, fields: Fields = {}): Buffer {
    this.#seq += 1
    const header = this.header('msg', to, { seq: this.#seq, ct: CONTENT_TYPE, ...fields })
    return this.seal(header, encodeContent({ text }))
  }

  header(k: string, to: string, fields: Fields = {}): Header {
    const { user, device } = this
    const conv = conversationOf(user, to)
    return { k, id: uuidv7(), from: user, dev: device, to, conv, at: Date.now(), ...fields }
  }

  /** The handshake up to what proves it. */
  async begin(client: RawClient): Promise<Shaken> {
    const nonce = toBase64(systemRandom.bytes(32))
    const challenge = await client.request('auth.hello', { certificate: toBase64(this.certificate.sealed), nonce })
    return { challenge, nonce, ...this.prove(challenge, nonce) }
  }

  prove(
    challenge: Frame,
    clientNonce: string,
    gateway = String(challenge.gateway),
  ): Omit<Shaken, 'challenge' | 'nonce'> {
    const { cluster, user, device } = this
    const transcript = { cluster, gateway, user, device, clientNonce, gatewayNonce: String(challenge.nonce) }
    return { signature: toBase64(this.sign(deviceTranscript(transcript))), capability: this.capability(gateway) }
  }

  async login(url: string, options: ClientOptions = {}): Promise<RawClient> {
    const client = await RawClient.open(url, options)
    const { signature, capability } = await this.begin(client)
    const welcome = await client.request('auth.prove', { signature, capability })
    if (welcome.t !== 'auth.welcome') throw new Error(`${this.user}: ${answerOf(welcome)}`)
    return client
  }
}

/** The headers of the records of pushes and pages that reached a client. */
export const headersAt = (client: RawClient): Header[] =>
  client.frames
    .flatMap(({ records }) => (Array.isArray(records) ? (records as [string, number][]) : [])) // as frames.ts declares
    .map(([sealed]) => openHeader(fromBase64(sealed)))
