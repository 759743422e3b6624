// The proxy between the nodes of a local cluster: bytes pass, a cut ends and refuses connections, a blackhole holds them.
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type LinkMode, LinkProxy } from '../../src/cli/cluster/link-proxy.ts'
import { cutsOf, linkOrders } from '../../src/cli/cluster/links.ts'
import { eventually } from '../eventually.ts'

interface World {
  proxy: LinkProxy
  echo: Server
  target: number
  sockets: Socket[]
}
const links = suite<World>('link proxy')

links.before.each(async (world) => {
  world.sockets = []
  world.echo = createServer((socket) => {
    world.sockets.push(socket)
    socket.on('error', () => {})
    socket.pipe(socket)
  })
  await new Promise<void>((resolve) => world.echo.listen(0, '127.0.0.1', resolve))
  world.target = (world.echo.address() as AddressInfo).port
  world.proxy = new LinkProxy()
})
links.after.each((world) => {
  world.proxy.close()
  world.echo.close()
  for (const socket of world.sockets) socket.destroy()
})

const setLink = async ({ proxy, target }: World, mode: LinkMode): Promise<number> => {
  const [report] = await proxy.apply([{ from: 'a', to: 'b', target, mode }])
  return report?.port ?? 0
}

interface Talk {
  socket: Socket
  heard: () => string
  isClosed: () => boolean
}
const talk = (world: World, port: number): Talk => {
  const socket = connect(port, '127.0.0.1')
  world.sockets.push(socket)
  let heard = ''
  let closed = false
  socket.setEncoding('utf8').on('data', (text: string) => {
    heard += text
  })
  socket.on('error', () => {})
  socket.on('close', () => {
    closed = true
  })
  return { socket, heard: () => heard, isClosed: () => closed }
}

links('an open link passes bytes both ways', async (world) => {
  const near = talk(world, await setLink(world, 'open'))
  near.socket.write('hello')
  await eventually(() => near.heard() === 'hello')
})

links('a cut ends the connections there are and those that come', async (world) => {
  const port = await setLink(world, 'open')
  const before = talk(world, port)
  before.socket.write('x')
  await eventually(() => before.heard() === 'x')
  assert.is(await setLink(world, 'reset'), port)
  await eventually(before.isClosed)
  const during = talk(world, port)
  await eventually(during.isClosed)
  assert.is(during.heard(), '')
})

links('after healing new connections pass again, at the same port', async (world) => {
  const port = await setLink(world, 'reset')
  assert.is(await setLink(world, 'open'), port)
  const near = talk(world, port)
  near.socket.write('again')
  await eventually(() => near.heard() === 'again')
})

links('a blackhole holds bytes of old and new connections until it is healed', async (world) => {
  const port = await setLink(world, 'open')
  const before = talk(world, port)
  before.socket.write('1')
  await eventually(() => before.heard() === '1')
  await setLink(world, 'blackhole')
  const during = talk(world, port)
  before.socket.write('2')
  during.socket.write('3')
  const witness = talk(world, world.target)
  witness.socket.write('w')
  await eventually(() => witness.heard() === 'w')
  assert.is(before.heard(), '1')
  assert.is(during.heard(), '')
  assert.not(before.isClosed() || during.isClosed())
  await setLink(world, 'open')
  await eventually(() => before.heard() === '12' && during.heard() === '3')
})

links('a link that is no longer wanted is gone', async (world) => {
  const port = await setLink(world, 'open')
  await world.proxy.apply([])
  const near = talk(world, port)
  await eventually(near.isClosed)
  assert.equal(world.proxy.report(), [])
})

links('cuts apply to both directions between the two sides only', () => {
  const nodes = ['a', 'b', 'c'].map((name, i) => ({ name, roles: [], ports: { listen: i + 1, admin: 0 } }))
  const orders = linkOrders({ nodes, cuts: [{ left: ['a'], right: ['b'], mode: 'reset' }] })
  assert.is(orders.length, 6)
  const cut = orders.filter((order) => order.mode === 'reset').map((order) => `${order.from}${order.to}`)
  assert.equal(cut.sort(), ['ab', 'ba'])
})

links('of two cuts of a link the last counts, and each end knows from whom it is cut off', () => {
  const nodes = ['a', 'b', 'c'].map((name, i) => ({ name, roles: [], ports: { listen: i + 1, admin: 0 } }))
  const state: Parameters<typeof cutsOf>[0] = {
    nodes,
    cuts: [
      { left: ['a'], right: ['b', 'gone'], mode: 'reset' },
      { left: ['b', 'c'], right: ['a'], mode: 'blackhole' },
    ],
  }
  assert.equal(cutsOf(state, 'a'), [
    { node: 'b', mode: 'blackhole' },
    { node: 'c', mode: 'blackhole' },
  ])
  assert.equal(cutsOf(state, 'b'), [{ node: 'a', mode: 'blackhole' }])
  assert.equal(cutsOf({ ...state, cuts: [] }, 'a'), [])
})

links.run()
