// The conformance suite of transports on both of them.
import { areConnected, startTestCluster } from '../net-nodes.ts'
import { transportConformance } from '../conformance/transport.ts'
import { eventually } from '../eventually.ts'
import { MemoryNetwork } from '../memory-transport.ts'

transportConformance('in memory', async () => {
  const network = new MemoryNetwork()
  const [a, b] = [network.transport('a'), network.transport('b')]
  network.connect('a', 'b')
  return { a, b, disconnect: async () => network.disconnect('a', 'b'), stop: async () => {} }
})

transportConformance('over libp2p', async () => {
  const [first, second] = await startTestCluster([1, 2])
  if (!first || !second) throw new Error('two were started')
  await eventually(() => areConnected([first, second]))
  return {
    a: first.transport,
    b: second.transport,
    disconnect: async () => {
      await second.stop()
      await eventually(() => !first.transport.isConnected(second.peer))
    },
    stop: async () => {
      await Promise.all([first.stop(), second.stop()])
    },
  }
})
