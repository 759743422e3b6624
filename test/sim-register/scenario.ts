// What a run is made of: who is there, how bad the world is, and what happens when.
import type { Weather } from './peers.ts'

export type Step = { at: number; by: string } & (
  | { do: 'claim'; name: string; group: string }
  | { do: 'look-up'; name: string }
  | { do: 'read-at'; group: string; version: number }
  | { do: 'change'; group: string; value: string }
  | { do: 'send'; group: string; message: string }
  | { do: 'kill' | 'start' | 'wipe' }
  | { do: 'pause'; ms: number }
  | { do: 'cut'; from: string; to: string; isBothWays: boolean }
  | { do: 'slow'; from: string; to: string; ms: number }
  | { do: 'mend' }
  | { do: 'replace'; homes: string[] }
)
export interface Scenario {
  seed: number
  homes: string[]
  spares: string[]
  coordinators: string[]
  groups: string[]
  names: string[]
  weather: Weather
  steps: Step[]
  healAt: number
}
export type Cast = Omit<Scenario, 'steps'>

export const RUN_MS = 12_000
/** Homes need a moment to read each other for the first time. */
export const BEGIN_MS = 1_500
