// What the services of a run log, as lines with its virtual time, for whoever looks at one run.
import type { Logger } from '../../src/platform/ports.ts'

export const runLog = (now: () => number, lines: string[]): ((proc: string) => Logger) => {
  const seconds = (): string => (now() / 1000).toFixed(3).padStart(9)
  return (proc) => {
    const write =
      (level: string) =>
      (fields: object, message: string): void =>
        void lines.push(`${seconds()} ${proc.padEnd(10)} ${level} ${message} ${JSON.stringify(fields)}`)
    return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
  }
}
