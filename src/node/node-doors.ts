// The HTTP doors of a node, opened last: admin for operators, and where the authority is, join for new nodes.
// Other programs of this machine find the admin door in a file of the data directory, while the node runs.
import { formatHostPort, parseHostPort, reachableHost } from './addresses.ts'
import { adminRoutes, joinRoutes } from './admin-routes.ts'
import type { ClusterView, PeerTransport } from './core/ports.ts'
import type { Service } from './core/service.ts'
import type { DataFiles } from './data-files.ts'
import type { Membership } from './membership.ts'
import { type HttpOptions, startHttp } from './net/http-endpoints.ts'
import type { NodeStatusReporter } from './node-status.ts'
import type { NodeServices } from './roles.ts'
import { systemRandom } from '../platform/system.ts'
import { ChatError } from '../protocol/errors.ts'

const TOKEN_BYTES = 24

export interface DoorPorts {
  files: DataFiles
  member: Membership
  built: NodeServices
  reporter: NodeStatusReporter
  transport: PeerTransport
  view: ClusterView
}

export class NodeDoors implements Service {
  readonly name = 'doors'
  adminUrl = ''
  readonly #ports: DoorPorts
  #open: { stop(): Promise<void> }[] = []

  constructor(ports: DoorPorts) {
    this.#ports = ports
  }

  async start(): Promise<void> {
    const { files, member, built, reporter, transport, view } = this.#ports
    const { auth, store, media } = built
    const join = member.doors.join === undefined || !auth ? undefined : parseHostPort(member.doors.join)
    const joinUrl = join && `http://${formatHostPort({ host: reachableHost(join.host), port: join.port })}`
    const acceptLoss = async (): Promise<void> => {
      if (!store && !media) throw new ChatError('CLUSTER_STATE', { message: 'This node is no store' })
      await store?.acceptLoss()
      await media?.acceptLoss()
    }
    const token = files.token(() => systemRandom.bytes(TOKEN_BYTES))
    const routes = adminRoutes({ view, transport, reporter, auth, joinUrl, acceptLoss })
    const admin = await this.#openDoor({
      ...parseHostPort(member.doors.admin),
      token,
      tokenDirectory: files.dir,
      routes,
    })
    if (join && auth) await this.#openDoor({ ...join, routes: joinRoutes(auth) })
    this.adminUrl = admin.url
    files.writeAdmin({ url: admin.url, pid: process.pid })
  }

  async stop(): Promise<void> {
    await Promise.all(this.#open.splice(0).map((door) => door.stop()))
  }

  async #openDoor(options: HttpOptions): Promise<{ url: string }> {
    const door = await startHttp(options)
    this.#open.push(door)
    return door
  }
}
