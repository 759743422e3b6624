// What each kind of step does to the simulated cluster. A new kind is a row here and one in scenario.ts.
import type { SimCluster } from './cluster.ts'
import type { SimDevice } from './device.ts'
import { deviceByRight, newestVersion } from './group-view.ts'
import type { SimNode } from './node.ts'
import type { Person, Session } from './person.ts'
import type { Step, StepKind } from './scenario.ts'

type StepOf<K extends StepKind> = Extract<Step, { do: K }>
type Actions = { [K in StepKind]: (cluster: SimCluster, step: StepOf<K>) => void }

const node = (cluster: SimCluster, name: string, act: (node: SimNode) => void): void => {
  const found = cluster.nodes.get(name)
  if (found && cluster.isAdded(name)) act(found)
}
const device = (cluster: SimCluster, name: string, act: (device: SimDevice) => void): void => {
  const found = cluster.devices.get(name)
  if (found?.isUp) act(found)
}
const person = (cluster: SimCluster, name: string, act: (person: Person, session: Session) => Promise<void>): void => {
  const found = cluster.devices.get(name)
  if (found?.session) void act(found.person, found.session)
}
/** Both ways between each of one side and each of the other. */
const cutBetween = (cluster: SimCluster, left: string[], right: string[], isCut: boolean): void => {
  for (const a of left) {
    for (const b of right) {
      cluster.network.setCut(a, b, isCut)
      cluster.network.setCut(b, a, isCut)
    }
  }
}
/** Every member that is not one of these. */
const othersThan = (cluster: SimCluster, left: string[]): string[] =>
  [...cluster.nodes.keys(), ...(cluster.scenario.hasLiar ? ['liar'] : [])].filter((name) => !left.includes(name))
/** What a fault did ends by itself, or with the heal, whichever is first. */
const later = (cluster: SimCluster, ms: number, end: () => void): void => {
  cluster.scheduler.after(ms, () => (cluster.isHealed ? undefined : end()))
}

/** At most one home is ever damaged: nobody could give back what two have lost. */
const damage = (cluster: SimCluster, home: SimNode, how: 'bit' | 'log' | 'all'): void => {
  if (cluster.damaged.size > 0) return
  home.kill('power')
  home.disk.damage(how)
  cluster.damaged.add(home.name)
  later(cluster, 500, () => void home.start())
}

const actions: Actions = {
  send: (c, step) => person(c, step.device, (p, session) => p.sends.send(session, step.to, step.text)),
  'send-file': (c, step) => person(c, step.device, (p, session) => p.sends.sendFile(session, step.to, step.text)),
  forward: (c, step) => person(c, step.device, (p, session) => p.sends.forward(session, step.to, step.which)),
  litter: (c, step) => person(c, step.device, (p, session) => p.attachments.litter(session, step.text)),
  resend: (c, step) => person(c, step.device, (p, session) => p.sends.resend(session)),
  read: (c, step) => person(c, step.device, (p, session) => p.read(session, step.conversation)),
  edit: (c, step) => person(c, step.device, (p, session) => p.edit(session, step, step.text)),
  delete: (c, step) => person(c, step.device, (p, session) => p.delete(session, step)),
  'delete-file': (c, step) => person(c, step.device, (p, session) => p.deleteFile(session, step.which)),
  react: (c, step) => person(c, step.device, (p, session) => p.react(session, step, step.emoji)),
  'change-group': (c, step) => {
    const by = step.isByRight ? deviceByRight(c, step) : undefined
    person(c, by ?? step.device, (p, session) => p.changeGroup(session, step))
  },
  settle: (c, step) => person(c, step.device, (p, session) => p.settle(session)),
  status: (c, step) => person(c, step.device, (p, session) => p.askStatuses(session.chat)),
  'crash-node': (c, step) =>
    node(c, step.node, (n) => {
      n.kill(step.how)
      later(c, step.forMs, () => void n.start())
    }),
  'restart-node': (c, step) =>
    node(c, step.node, (n) => {
      // Stopping in order takes its time; the heal may come first.
      void n.stop().then(() => (c.isHealed ? n.start() : later(c, step.forMs, () => void n.start())))
    }),
  'pause-node': (c, step) =>
    node(c, step.node, (n) => {
      n.pause()
      later(c, step.forMs, () => n.resume())
    }),
  'power-cut': (c, step) => {
    const down = [...c.nodes.values()].filter((n) => c.isAdded(n.name))
    for (const n of down) {
      n.kill('power')
      later(c, step.forMs * c.random.float(), () => void n.start())
    }
  },
  'crash-device': (c, step) =>
    device(c, step.device, (d) => {
      d.kill(step.how)
      later(c, step.forMs, () => void d.start())
    }),
  partition: (c, step) => {
    const right = othersThan(c, step.left)
    cutBetween(c, step.left, right, true)
    later(c, step.forMs, () => cutBetween(c, step.left, right, false))
  },
  isolate: (c, step) => {
    cutBetween(c, [step.node], step.from, true)
    later(c, step.forMs, () => cutBetween(c, [step.node], step.from, false))
  },
  cut: (c, step) => {
    c.network.setCut(step.from, step.to, true)
    later(c, step.forMs, () => c.network.setCut(step.from, step.to, false))
  },
  reset: (c, step) => c.network.reset(step.a, step.b),
  'link-device': (c, step) => {
    const late = c.devices.get(step.device)
    if (late?.isLate)
      void late.enrol(c.devices.get(step.approver)).catch((error: unknown) => c.defect(step.device, error))
  },
  'break-socket': (c, step) => {
    for (const socket of [...c.sockets.open]) if (socket.client === step.device) socket.link.reset()
  },
  'cut-device': (c, step) => {
    c.sockets.setCut(step.device, step.gateway, true)
    later(c, step.forMs, () => c.sockets.setCut(step.device, step.gateway, false))
  },
  'jump-clock': (c, step) => {
    const found = c.nodes.get(step.machine) ?? c.devices.get(step.machine)
    if (found) found.machine.skewMs += step.byMs
  },
  'slow-disk': (c, step) =>
    node(c, step.node, (n) => {
      n.disk.slowness = step.times
      later(c, step.forMs, () => (n.disk.slowness = 1))
    }),
  'full-disk': (c, step) =>
    node(c, step.node, (n) => {
      n.disk.isFull = true
      later(c, step.forMs, () => (n.disk.isFull = false))
    }),
  'damage-disk': (c, step) => node(c, step.node, (n) => damage(c, n, step.how)),
  'lose-after-growth': (c, step) => {
    const look = (): void => {
      if (c.isHealed) return
      const { homes } = c.newestMap()
      const hasGrown = homes.current.peers.length === 3 && !homes.next
      if (hasGrown) later(c, step.afterMs, () => node(c, step.node, (n) => damage(c, n, 'all')))
      else c.scheduler.after(20, look)
    }
    look()
  },
  'add-store': (c, step) => {
    c.added.add(step.node)
    node(c, step.node, (n) => void n.start())
  },
  'remove-store': (c, step) => void c.removeStore(step.node),
  forge: (c, step) => c.forge(step.from, step.to),
  'forge-deletion': (c) => c.forgeDeletion(),
  intrude: (c, step) => {
    const newest = newestVersion(c, step.group)
    if (newest) c.intrude(step.device, newest, step.with)
  },
}

export const act = (cluster: SimCluster, step: Step): void => {
  // The table has exactly the row for this kind of step.
  const row = actions[step.do] as (cluster: SimCluster, step: Step) => void
  row(cluster, step)
}
