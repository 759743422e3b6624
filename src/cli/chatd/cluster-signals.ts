// chatd cluster kill, pause, resume, start, stop: what is done to the process of one node.
import type { Command } from '@commander-js/extra-typings'
import { killNode, pauseNode, resumeNode, startNode, stopNode } from '../cluster/nodes.ts'
import { createOutput, examples } from '../output.ts'
import { clusterDirectory, clusterVerb } from './cluster-options.ts'

interface NodeVerb {
  name: string
  description: string
  /** Resolves with what happened, in one word. */
  act: (dir: string, node: string) => Promise<string>
}

const VERBS: NodeVerb[] = [
  {
    name: 'kill',
    description: 'end a node at once (SIGKILL); it stays down until start',
    act: async (dir, node) => {
      await killNode(dir, node)
      return 'killed'
    },
  },
  {
    name: 'stop',
    description: 'let a node drain and end (SIGTERM)',
    act: async (dir, node) => ((await stopNode(dir, node)) ? 'stopped' : 'killed'),
  },
  {
    name: 'pause',
    description: 'freeze a node (SIGSTOP): it holds its connections and answers nothing',
    act: async (dir, node) => {
      await pauseNode(dir, node)
      return 'paused'
    },
  },
  {
    name: 'resume',
    description: 'let a paused node go on (SIGCONT)',
    act: async (dir, node) => {
      await resumeNode(dir, node)
      return 'running'
    },
  },
  {
    name: 'start',
    description: 'start a node that is down, with its old name, identity and ports; returns when it serves',
    act: async (dir, node) => {
      await startNode(dir, node)
      return 'up'
    },
  },
]

export const registerNodeVerbs = (cluster: Command): void => {
  for (const { name, description, act } of VERBS) {
    clusterVerb(cluster, `${name} <node...>` as const)
      .description(description)
      .addHelpText('before', examples(`chatd cluster ${name} store-1`))
      .action(async (nodes, options) => {
        const output = createOutput(options)
        const dir = clusterDirectory(options.dir)
        const results = await Promise.all(nodes.map(async (node) => ({ name: node, result: await act(dir, node) })))
        output.result(results, () => results.map((each) => `${each.name} ${each.result}`).join('\n'))
      })
  }
}
