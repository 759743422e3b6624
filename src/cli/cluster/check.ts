// Proves that a local cluster holds what it promised. Lag (homes that differ) is waited for; damage is not: a home that lost something
// is reported even if repair could bring it back.
import { systemClock } from '../../platform/system.ts'
import { sleep } from '../../platform/timing.ts'
import type { ClusterMap } from '../../protocol/cluster-map.ts'
import { Inspection, type InspectionOptions } from './check-inspection.ts'
import { lagOf } from './check-lag.ts'
import type { CheckReport } from './check-report.ts'

const POLL_MS = 300

export interface CheckOptions extends InspectionOptions {
  /** The newest map that any node knows, asked again each time. */
  map: () => Promise<ClusterMap>
  timeoutMs: number
  progress: (text: string) => void
}

export const checkCluster = async (options: CheckOptions): Promise<CheckReport> => {
  const startedAt = systemClock.monotonic()
  for (;;) {
    const isLate = systemClock.monotonic() - startedAt > options.timeoutMs
    const map = await options.map()
    const waitedMs = Math.round(systemClock.monotonic() - startedAt)
    const lag = await lagOf(map, options.home)
    if (lag.length === 0) {
      const report = await new Inspection(map, options).run(waitedMs)
      if (report.ok || !isOnlyLag(report) || isLate) return report
    } else if (isLate) {
      return { ...new Inspection(map, options).report(waitedMs), ok: false, problems: lag }
    }
    options.progress(lag[0]?.text ?? 'homes still change')
    await sleep(systemClock, POLL_MS)
  }
}

/** Something lags, and nothing is wrong that lag does not explain: an id is not found on all homes while they still differ. */
const isOnlyLag = ({ problems }: CheckReport): boolean =>
  problems.some(({ kind }) => kind === 'lag') && problems.every(({ kind }) => kind === 'lag' || kind === 'lost')
