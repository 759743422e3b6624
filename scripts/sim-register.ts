// The simulation of registers from the command line: `npm run sim -- --register`, with the options of sim.ts.
import { registerMutantNames } from '../src/platform/mutants.ts'
import { huntRegisterMutant } from '../test/sim-register/hunt.ts'
import { runRegisters } from '../test/sim-register/run.ts'

export interface RegisterOptions {
  first: number
  seeds: number
  /** One in detail. */
  seed: number | undefined
  mutant: string | undefined
  allMutants: boolean
}
const SHOWN = 10
const seconds = (since: number): string => `${((performance.now() - since) / 1_000).toFixed(1)} s`

/** False when something is wrong. */
export const simulateRegisters = async (options: RegisterOptions): Promise<boolean> => {
  const mutant = registerMutantNames.find((name) => name === options.mutant)
  if (options.mutant !== undefined && !mutant) {
    console.error(`There is no mutant ${options.mutant}. There are: ${registerMutantNames.join(', ')}`)
    return false
  }
  if (options.allMutants) return huntAll(options)
  if (options.seed !== undefined) return showOne(options.seed, mutant)
  const started = performance.now()
  let failed = 0
  let virtualMs = 0
  for (let seed = options.first; seed < options.first + options.seeds; seed++) {
    const run = await runRegisters(seed, mutant)
    virtualMs += run.virtualMs
    if (run.violations.length === 0) continue
    failed++
    console.log(`seed ${seed}: ${run.violations[0]?.rule}: ${run.violations[0]?.message}`)
  }
  const hours = (virtualMs / 3_600_000).toFixed(1)
  console.log(`${options.seeds} seeds, ${failed} failed, ${seconds(started)}, ${hours} h of virtual time`)
  return failed === 0
}

const showOne = async (seed: number, mutant: (typeof registerMutantNames)[number] | undefined): Promise<boolean> => {
  const run = await runRegisters(seed, mutant)
  for (const line of run.history) console.log(line)
  for (const { rule, message } of run.violations.slice(0, SHOWN)) console.log(`${rule}: ${message}`)
  console.log(`${run.violations.length === 0 ? 'clean' : 'FAILED'}; ${run.events} events; hash ${run.hash}`)
  const again = await runRegisters(seed, mutant)
  if (again.hash !== run.hash) console.log(`NOT DETERMINISTIC: the second run has hash ${again.hash}`)
  return run.violations.length === 0 && again.hash === run.hash
}

const huntAll = async ({ seeds, first }: RegisterOptions): Promise<boolean> => {
  let survivors = 0
  for (const name of registerMutantNames) {
    const started = performance.now()
    const caught = await huntRegisterMutant(name, seeds, first)
    const [found] = caught?.violations ?? []
    if (!found) survivors++
    const verdict = found ? `seed ${caught?.seed}: ${found.rule}: ${found.message.slice(0, 90)}` : 'SURVIVED'
    console.log(`${name.padEnd(28)} ${seconds(started).padStart(7)}  ${verdict}`)
  }
  console.log(`${registerMutantNames.length - survivors} of ${registerMutantNames.length} mutants caught`)
  return survivors === 0
}
