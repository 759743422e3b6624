// Brings the components onto the screen by Ink, which loads with React when the client begins, after what they read from the environment.
import { anchoredStdout } from './anchor.ts'
import type { Suspend } from './components/App.tsx'
import { layoutOf } from './layout.ts'
import { withLeanModules } from './lean-modules.ts'
import type { Store } from './store.ts'

export const loadComponents = async () => {
  // Read when the module loads: the development build of React takes twice as long.
  process.env.NODE_ENV ??= 'production'
  const [{ render }, { createElement }, { App }] = await withLeanModules(() =>
    Promise.all([import('ink'), import('react'), import('./components/App.tsx')]),
  )
  return { render, createElement, App }
}

/** Ink makes a frame that comes too soon wait, a key's behind a message's too. Keys and readings (loading.ts) come less often than this by themselves. */
const MAX_FPS = 250

export interface Drawn {
  /** Settles when it is taken off the screen; rejects with what a component threw. */
  ended: Promise<unknown>
  end: () => void
  redraw: () => void
  suspend: Suspend
}
export const draw = (
  store: Store,
  { render, createElement, App }: Awaited<ReturnType<typeof loadComponents>>,
): Drawn => {
  let suspend: Suspend = (run) => run()
  const root = createElement(App, {
    store,
    onSuspend: (given) => {
      suspend = given
    },
  })
  const app = render(root, {
    stdout: anchoredStdout(process.stdout, () => layoutOf(store.getState()).sidebarColumns + 1),
    interactive: true,
    alternateScreen: true,
    incrementalRendering: true,
    exitOnCtrlC: false,
    maxFps: MAX_FPS,
  })
  const redraw = (): void => {
    app.clear()
    app.rerender(root)
  }
  return { ended: app.waitUntilExit(), end: () => app.unmount(), redraw, suspend: (run) => suspend(run) }
}
