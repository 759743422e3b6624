// What operators may ask a running node through its admin endpoint (loopback, token): status, tickets, invites, removal, export.
// Tickets, invites and changes of the map need the authority: another node says where it is.
import { ChatError } from '../protocol/errors.ts'
import { type ClusterMap, type Role, roles as allRoles } from '../protocol/cluster-map.ts'
import type { AuthService } from './auth/auth-service.ts'
import type { ClusterView, PeerTransport } from './core/ports.ts'
import { inspectRoute } from './inspect-route.ts'
import { renderMetrics } from './metrics.ts'
import { type HttpRoute, TextReply } from './net/http-endpoints.ts'
import type { NodeStatusReporter } from './node-status.ts'

/** What is answered to /node/remove. */
export type { Removal } from './auth/member-changes.ts'

export interface AdminPorts {
  view: ClusterView
  transport: PeerTransport
  reporter: NodeStatusReporter
  auth: AuthService | undefined
  /** Where joining nodes reach this node's join port. */
  joinUrl: string | undefined
  acceptLoss: () => Promise<void>
}

const fieldOf = (body: unknown, field: string): unknown =>
  typeof body === 'object' && body !== null ? Reflect.get(body, field) : undefined
const numberOf = (body: unknown, field: string): number => {
  const value = fieldOf(body, field)
  if (typeof value !== 'number') throw new ChatError('USAGE', { message: `${field} is missing` })
  return value
}
const rolesOf = (body: unknown): Role[] => {
  const value = fieldOf(body, 'roles')
  const isRole = (role: unknown): role is Role => allRoles.some((known) => known === role)
  if (!Array.isArray(value) || value.length === 0 || !value.every(isRole))
    throw new ChatError('USAGE', { message: 'roles are missing' })
  return value
}
const joinUrlOf = (body: unknown): string | undefined => {
  const value = fieldOf(body, 'joinUrl')
  if (value === undefined) return undefined
  if (typeof value === 'string' && URL.canParse(value)) return value
  throw new ChatError('USAGE', { message: `${JSON.stringify(value)} is no URL, for example http://10.0.0.5:7500` })
}
const nameOf = (body: unknown): string => {
  const value = fieldOf(body, 'name')
  if (typeof value !== 'string') throw new ChatError('USAGE', { message: 'name is missing' })
  return value
}

/** What only the authority does, said with the way there. */
const notHere = (map: ClusterMap): ChatError => {
  const there = map.nodes.find((node) => node.authority)?.name
  return new ChatError('AUTH_UNAVAILABLE', {
    message: `This node does not hold the authority’s key; ask ${there === undefined ? 'the node that does' : `the node ${there}`} (its --data or --admin)`,
  })
}

export const adminRoutes = ({
  view,
  transport,
  reporter,
  auth,
  joinUrl,
  acceptLoss,
}: AdminPorts): Record<string, HttpRoute> => {
  const authority = (): AuthService => {
    if (auth) return auth
    throw notHere(view.current().map)
  }
  return {
    '/status': () => reporter.cluster(),
    '/map': async () => view.current().map,
    '/metrics': async () => new TextReply(await renderMetrics(reporter.own()), 'text/plain; version=0.0.4'),
    '/inspect': inspectRoute(transport),
    '/ticket': async (body) =>
      authority().createTicket({
        roles: rolesOf(body),
        ttlMs: numberOf(body, 'ttlMs'),
        url: joinUrlOf(body) ?? joinUrl ?? '',
      }),
    '/invite': async (body) =>
      authority().createInvite({ uses: numberOf(body, 'uses'), ttlMs: numberOf(body, 'ttlMs') }),
    '/node/remove': async (body) => authority().removeNode(nameOf(body)),
    '/authority/export': async () => authority().exportState(),
    '/repair/accept-loss': async () => {
      await acceptLoss()
      return {}
    },
  }
}

/** The join port answers without a token: its two messages carry their own proofs. */
export const joinRoutes = (auth: AuthService): Record<string, HttpRoute> => ({
  '/join/hello': async (body) => auth.joinHello(body),
  '/join/prove': (body) => auth.joinProve(body),
})
