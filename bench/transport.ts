// node bench/transport.ts: what one RPC over libp2p costs, both ends as processes of their own on this machine.
// Prints for each number of calls in flight the rate, p50 and p99, and the CPU time of both ends for one call.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { ClusterViewKeeper } from '../src/node/core/cluster-view.ts'
import { Libp2pTransport } from '../src/node/net/libp2p-transport.ts'
import { nodeIdentity } from '../src/node/net/node-identity.ts'
import { silentLogger } from '../src/platform/ports.ts'
import { systemClock } from '../src/platform/system.ts'
import { toBase64, toHex } from '../src/protocol/bytes.ts'
import { homeSet, type SignedMap, signMap } from '../src/protocol/cluster-map.ts'
import { storeAppend } from '../src/protocol/rpc.ts'
import { fastSigner, keyPairFromSeed } from '../src/protocol/signing.ts'

const seedOf = (number: number): Uint8Array => new Uint8Array(32).fill(number)
const cluster = toHex(keyPairFromSeed(seedOf(9)).publicKey)
const CLIENT = 1
const SERVER = 2
const CALLS = 20_000
const RECORD_BYTES = 400

const mapWith = (epoch: number, ports: Map<number, string[]>): SignedMap => {
  const nodes = [...ports].map(([number, addresses]) => {
    const { peer, publicKey } = nodeIdentity(seedOf(number))
    return { peer, key: toBase64(publicKey), name: `n${number}`, roles: [], weight: 1, addresses }
  })
  const homes = { current: homeSet(nodes.map((node) => node.peer)) }
  return signMap({ cluster, epoch, nodes, homes, retentionMs: 1, revocations: [] }, fastSigner(seedOf(9)))
}

const start = async (number: number): Promise<{ transport: Libp2pTransport; view: ClusterViewKeeper }> => {
  const { signal } = new AbortController()
  const common = { clock: systemClock, log: silentLogger }
  const listen = ['/ip4/127.0.0.1/tcp/0']
  const transport: Libp2pTransport = new Libp2pTransport({
    ...common,
    seed: seedOf(number),
    listen,
    view: () => view,
    isRouter: false,
  })
  const view = new ClusterViewKeeper({
    ...common,
    cluster,
    initial: mapWith(1, new Map()),
    persist: () => {},
    transport,
  })
  view.start(signal)
  await transport.start(signal)
  return { transport, view }
}

const cpuUs = (since?: NodeJS.CpuUsage): number => {
  const { user, system } = process.cpuUsage(since)
  return user + system
}

const serve = async (): Promise<void> => {
  const { transport, view } = await start(SERVER)
  transport.handle(storeAppend, ({ epoch }) => ({ feed: '0123456789abcdef', batch: epoch }))
  process.on('message', (message: { map: string } | 'cpu') => {
    if (message === 'cpu') process.send?.({ cpuUs: cpuUs() })
    else view.adopt(Buffer.from(message.map, 'base64'))
  })
  process.on('disconnect', () => process.exit())
  process.send?.({ addresses: transport.addresses() })
}

const measure = async (): Promise<void> => {
  const server = fork(import.meta.filename, ['serve'])
  const [{ addresses }] = (await once(server, 'message')) as [{ addresses: string[] }] // see serve
  const { transport, view } = await start(CLIENT)
  const { sealed } = mapWith(
    2,
    new Map([
      [CLIENT, transport.addresses()],
      [SERVER, addresses],
    ]),
  )
  view.adopt(sealed)
  server.send({ map: toBase64(sealed) })
  const peer = nodeIdentity(seedOf(SERVER)).peer
  while (!transport.isConnected(peer)) await new Promise((resolve) => setTimeout(resolve, 10))
  const serverCpu = async (): Promise<number> => {
    server.send('cpu')
    const [answer] = (await once(server, 'message')) as [{ cpuUs: number }] // see serve
    return answer.cpuUs
  }
  const request = {
    epoch: 1,
    writes: [{ mailboxes: ['u:alice', 'u:bob'], sealed: Buffer.alloc(RECORD_BYTES, 1), acceptedAt: Date.now() }],
  }
  const run = async (calls: number, inFlight: number): Promise<number[]> => {
    const tookMs: number[] = []
    const lane = async (): Promise<void> => {
      while (tookMs.length + inFlight <= calls) {
        const startedAt = performance.now()
        await transport.call(peer, storeAppend, request)
        tookMs.push(performance.now() - startedAt)
      }
    }
    await Promise.all(Array.from({ length: inFlight }, lane))
    return tookMs.sort((a, b) => a - b)
  }
  await run(CALLS, 128)
  console.log(`store.append with one record of ${RECORD_BYTES} B; CPU in µs per call, caller + answerer`)
  for (const inFlight of [1, 16, 128, 1_024]) {
    const [client0, server0, startedAt] = [process.cpuUsage(), await serverCpu(), performance.now()]
    const took = await run(inFlight === 1 ? CALLS / 10 : CALLS, inFlight)
    const seconds = (performance.now() - startedAt) / 1_000
    const [client, answerer] = [cpuUs(client0), (await serverCpu()) - server0].map((us) =>
      (us / took.length).toFixed(1),
    )
    const [p50, p99] = [0.5, 0.99].map((p) => took[Math.floor(took.length * p)]?.toFixed(2))
    const rate = Math.round(took.length / seconds)
    console.log(
      `${String(inFlight).padStart(5)} in flight: ${String(rate).padStart(7)}/s  p50 ${p50} ms  p99 ${p99} ms  CPU ${client} + ${answerer} µs`,
    )
  }
  server.disconnect()
  process.exit()
}

await (process.argv[2] === 'serve' ? serve() : measure())
