// Holds the state between events: dispatch runs the reducer, tells the components, then hands the effects on.
// An event that is dispatched while another runs waits its turn, so that no two reductions overlap.
import { type Action, reduce } from './reduce.ts'
import type { Effect, State } from './state.ts'

export interface Store {
  getState: () => State
  dispatch: (action: Action) => void
  subscribe: (listener: () => void) => () => void
  /** Who carries the effects out; the session, once it starts. */
  onEffect: (run: (effect: Effect) => void) => void
}

export const createStore = (initial: State): Store => {
  let state = initial
  let run: (effect: Effect) => void = () => {}
  let isReducing = false
  const listeners = new Set<() => void>()
  const waiting: Action[] = []

  const reduceOne = (action: Action): readonly Effect[] => {
    const before = state
    const next = reduce(state, action)
    state = next.state
    if (state !== before) for (const listener of [...listeners]) listener()
    return next.effects
  }
  const dispatch = (action: Action): void => {
    waiting.push(action)
    if (isReducing) return
    isReducing = true
    try {
      for (let next = waiting.shift(); next; next = waiting.shift()) for (const effect of reduceOne(next)) run(effect)
    } finally {
      isReducing = false
    }
  }
  return {
    getState: () => state,
    dispatch,
    subscribe: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    onEffect: (handler) => {
      run = handler
    },
  }
}
