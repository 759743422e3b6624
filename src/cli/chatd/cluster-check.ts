// chatd cluster check: exit code 0 only if the cluster holds everything it promised.
import type { Command } from '@commander-js/extra-typings'
import type { CheckReport } from '../cluster/check-report.ts'
import { parseDuration } from '../duration.ts'
import { createOutput, examples } from '../output.ts'
import { clusterDirectory, clusterVerb } from './cluster-options.ts'

const SHOWN_PROBLEMS = 20
const REPAIR_MS = 60_000

const human = (report: CheckReport): string => {
  const { homes, epoch, entries, mailboxes, records, blobs, ledger, problems } = report
  const counts = [
    `${homes.length} homes (${homes.join(', ')}) at epoch ${epoch}`,
    `${records} records verified, ${entries} entries in ${mailboxes} mailboxes compared`,
    ...(blobs.named > 0 ? [`${blobs.whole} of ${blobs.named} attachments whole on enough homes`] : []),
    ...(ledger.ids > 0 ? [`${ledger.found} of ${ledger.ids} ids of the ledgers found`] : []),
  ]
  const shown = problems.slice(0, SHOWN_PROBLEMS).map(({ kind, text }) => `  ${kind}: ${text}`)
  const more = problems.length > SHOWN_PROBLEMS ? [`  … and ${problems.length - SHOWN_PROBLEMS} more`] : []
  return [...counts, report.ok ? 'all is well' : 'NOT well:', ...shown, ...more].join('\n')
}

export const registerCheckVerb = (cluster: Command): void => {
  clusterVerb(cluster, 'check')
    .description(
      'wait for repair, then prove that replicas agree, records verify, attachments are whole and nothing in the ledgers is lost',
    )
    .option('--timeout <duration>', 'how long to wait for repair (60s)', parseDuration)
    .option('--ledger <file...>', 'files with the ids that clients were told are stored, one a line')
    .addHelpText(
      'before',
      examples('chatd cluster check', 'chatd cluster check --timeout 30s --ledger alice.ledger bob.ledger --json'),
    )
    .action(async (options) => {
      const [{ checkCluster }, { runningChecker }, { readLedgers }] = await Promise.all([
        import('../cluster/check.ts'),
        import('../cluster/check-nodes.ts'),
        import('../cluster/check-ledger.ts'),
      ])
      const output = createOutput(options)
      const dir = clusterDirectory(options.dir)
      const ledger = readLedgers(options.ledger ?? [])
      let said = ''
      const report = await checkCluster({
        ...runningChecker(dir),
        ledger,
        timeoutMs: options.timeout ?? REPAIR_MS,
        progress: (text) => {
          if (text !== said) output.note(`waiting: ${text}`)
          said = text
        },
      })
      output.result(report, () => human(report))
      process.exitCode = report.ok ? 0 : 1
    })
}
