// chatd cluster proxy: the process with the links between the nodes of a local cluster. Started by the other verbs, hence hidden.
import type { Command } from '@commander-js/extra-typings'
import { startProxyServer } from '../cluster/proxy-server.ts'

export const registerProxyVerb = (cluster: Command): void => {
  cluster
    .command('proxy', { hidden: true })
    .description('runs the links between the nodes until it is ended')
    .action(async () => {
      const { port, token, close } = await startProxyServer()
      process.stdout.write(`${JSON.stringify({ event: 'ready', port, token })}\n`)
      await new Promise<void>((resolve) => {
        process.once('SIGTERM', () => resolve())
        process.once('SIGINT', () => resolve())
      })
      close()
    })
}
