// Groups in a world of real gateways, group nodes and stores: what members do, by hand, and what their mailboxes hold.

import { toBase64, fromBase64 } from '../../src/protocol/bytes.ts'
import { encodeGroup, type GroupChange, type GroupState, nextState, openGroup } from '../../src/protocol/group.ts'
import { userMailbox } from '../../src/protocol/names.ts'
import { deviceIdOf, openRecord, recordKey } from '../../src/protocol/records.ts'
import { storeHas } from '../../src/protocol/rpc.ts'
import { cluster, type Frame, nextId, type NodePlan, type TestClient, type World } from './gateway-world.ts'

/** Two gateways, two group nodes, three routers, three stores. */
export const groupCluster: NodePlan[] = [
  ...cluster(2),
  { name: 'group-1', roles: ['group'] },
  { name: 'group-2', roles: ['group'] },
]
/** One process that is everything, groups too. */
export const everything: NodePlan[] = [{ name: 'all', roles: ['gateway', 'router', 'store', 'group'], authority: true }]

export const newGroupId = (): string => `#${nextId()}`
const userOf = (client: TestClient): string => client.device?.user ?? ''

/** The sealed version that `client` makes of `before`. */
export const versionBy = (
  client: TestClient,
  before: GroupState | undefined,
  change: Omit<GroupChange, 'by'> & { group?: string },
): Buffer => {
  const by = userOf(client)
  const after = nextState(before, { ...change, by }, change.group ?? before?.group)
  return sealVersion(client, after, change)
}
/** Of any state, also one that no rule allows. */
export const sealVersion = (
  client: TestClient,
  after: GroupState,
  { change, users }: Pick<GroupChange, 'change' | 'users'>,
): Buffer => {
  const dev = deviceIdOf(client.device?.key.publicKey ?? new Uint8Array(32))
  const author = { id: nextId(), from: userOf(client), dev, to: after.group, at: client.world.clock.now() }
  const concerned = change === 'create' || users === undefined ? {} : { users }
  return client.seal({ k: 'group', ...author, v: after.version, change, ...concerned }, encodeGroup(after))
}

export const propose = (client: TestClient, sealed: Uint8Array): Promise<Frame> =>
  client.request('group.propose', { record: toBase64(sealed) })
/** The decided state; throws what the gateway says. */
export const stateOf = (frame: Frame): GroupState => {
  if (frame.t !== 'group.record') throw new Error(JSON.stringify(frame))
  return openGroup(fromBase64(String(frame.record))).state
}
export const changed = async (
  client: TestClient,
  before: GroupState | undefined,
  change: Omit<GroupChange, 'by'> & { group?: string },
): Promise<GroupState> => stateOf(await propose(client, versionBy(client, before, change)))
export const created = (client: TestClient, name: string, users: string[]): Promise<GroupState> =>
  changed(client, undefined, { change: 'create', name, users, group: newGroupId() })

export const messageTo = (client: TestClient, { group, version }: GroupState, text: string): Buffer =>
  client.message(group, text, { gv: version })
export const outcome = (frame: Frame): string => (frame.t === 'error' ? [frame.code, frame.outcome].join(' ') : frame.t)

/** How many stores hold the record in this user's mailbox. */
export const copiesOf = async (world: World, user: string, sealed: Uint8Array): Promise<number> => {
  const key = recordKey(openRecord(sealed).header.id, sealed)
  const request = { epoch: world.signed.map.epoch, items: [{ mailbox: userMailbox(user), keys: key }] }
  const stores = [...world.nodes.values()].filter(({ store }) => store !== undefined)
  const answers = await Promise.all(
    stores.map(({ name, transport }) => transport.call(name, storeHas, request).then(({ has }) => has[0]?.[0] ?? 0)),
  )
  return answers.reduce((sum, has) => sum + has, 0)
}
/** Records that are not yet known to be in every mailbox, as the node that sees most of them sees it. */
export const openCount = async (world: World): Promise<number> => {
  const found = [...world.nodes.values()].flatMap(({ ledger }) => (ledger ? [ledger.unfinished(0)] : []))
  return Math.max(...(await Promise.all(found)).map(({ length }) => length))
}
export const isPushed = (client: TestClient, sealed: Uint8Array): boolean => client.pushed().includes(toBase64(sealed))
