// Brings the components onto the screen by Ink, which loads with React when the client begins, after what they read from the environment.
import { anchoredStdout } from './anchor.ts'
import type { Suspend } from './components/App.tsx'
import { afterFirstFrame, firstFrame, leaveFirstFrame } from './first-frame.ts'
import { layoutOf } from './layout.ts'
import { withLeanModules } from './lean-modules.ts'
import type { Store } from './store.ts'

/** Ink makes a frame that comes too soon wait, a key's behind a message's too. Keys and readings (loading.ts) come less often than this by themselves. */
const MAX_FPS = 250

const loadComponents = async () => {
  // Read when the module loads: the development build of React takes twice as long.
  process.env.NODE_ENV ??= 'production'
  const [{ render }, { createElement }, { App }] = await withLeanModules(() =>
    Promise.all([import('ink'), import('react'), import('./components/App.tsx')]),
  )
  return { render, createElement, App }
}

export interface Drawn {
  /** Settles when it is taken off the screen; rejects with what a component threw. */
  ended: Promise<unknown>
  end: () => void
  redraw: () => void
  suspend: Suspend
}

const drawByInk = (store: Store, { render, createElement, App }: Awaited<ReturnType<typeof loadComponents>>): Drawn => {
  let suspend: Suspend = (run) => run()
  const root = createElement(App, {
    store,
    onSuspend: (given) => {
      suspend = given
    },
  })
  const columnOf = (): number => layoutOf(store.getState()).sidebarColumns + 1
  const app = render(root, {
    stdout: anchoredStdout(process.stdout, columnOf, afterFirstFrame()),
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

/** At once, by a first frame; what is asked for before Ink is there waits for it. */
export const draw = (store: Store): Drawn => {
  const { stdout } = process
  let isOver = false
  stdout.write(firstFrame(store.getState(), stdout.getColorDepth()))
  const drawing = loadComponents().then((components) => (isOver ? undefined : drawByInk(store, components)))
  const finish = async (): Promise<void> => {
    const drawn = await drawing.catch((error: unknown) => {
      stdout.write(leaveFirstFrame)
      throw error
    })
    if (drawn) await drawn.ended
    else stdout.write(leaveFirstFrame)
  }
  /** That it cannot be loaded is told by `ended`. */
  const later = (run: (drawn: Drawn) => void): void =>
    void drawing.then(
      (drawn) => drawn && run(drawn),
      () => {},
    )
  return {
    ended: finish(),
    end: () => {
      isOver = true
      later((drawn) => drawn.end())
    },
    redraw: () => later((drawn) => drawn.redraw()),
    suspend: async (run) => (await drawing)?.suspend(run),
  }
}
