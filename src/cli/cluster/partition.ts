// Cuts and heals the links between nodes of a local cluster.
import { ChatError } from '../../protocol/errors.ts'
import { applyLinks } from './links.ts'
import { type ClusterState, type Cut, requireNode, updateState } from './state.ts'

/** Adds a cut to those there are; where it meets one, the new one counts. */
export const partition = async (dir: string, cut: Cut): Promise<void> => {
  const state = await updateState(dir, (fresh) => {
    checkCut(fresh, cut)
    fresh.cuts.push(cut)
  })
  await applyLinks(dir, state)
}

export const heal = async (dir: string): Promise<Cut[]> => {
  let healed: Cut[] = []
  const state = await updateState(dir, (fresh) => {
    healed = fresh.cuts
    fresh.cuts = []
  })
  await applyLinks(dir, state)
  return healed
}

const checkCut = (state: ClusterState, { left, right }: Cut): void => {
  if (!state.proxied) {
    throw new ChatError('CLUSTER_STATE', {
      message:
        'The nodes of this cluster are linked directly (--direct), so links cannot be cut; make one without --direct',
    })
  }
  if (left.length === 0 || right.length === 0)
    throw new ChatError('USAGE', { message: 'A side of the cut names no node' })
  for (const name of [...left, ...right]) requireNode(state, name)
  const both = left.find((name) => right.includes(name))
  if (both) throw new ChatError('USAGE', { message: `${both} is on both sides` })
}
