// The screen: bars, list, timeline, input. It takes its lines from screen-view.ts and decides nothing.
import { Box, Text, useApp, useCursor } from 'ink'
import { type ReactNode, useEffect, useSyncExternalStore } from 'react'
import { ANCHOR } from '../anchor.ts'
import { layoutOf } from '../layout.ts'
import { screenOf } from '../screen-view.ts'
import type { Store } from '../store.ts'
import { themes } from '../theme.ts'
import { Rows } from './Rows.tsx'

/** One in each row, between the list and the timeline. */
const anchors = (rows: number): string => Array(rows).fill(ANCHOR).join('\n')

/** Gives the terminal away while `run` goes on, and draws everything anew after it. */
export type Suspend = (run: () => Promise<void>) => Promise<void>

export function App({ store, onSuspend }: { store: Store; onSuspend: (suspend: Suspend) => void }): ReactNode {
  const state = useSyncExternalStore(store.subscribe, store.getState)
  const { setCursorPosition } = useCursor()
  const { suspendTerminal } = useApp()
  useEffect(() => onSuspend(suspendTerminal), [onSuspend, suspendTerminal])
  const { columns, rows } = state.size
  const { sidebarColumns, timelineColumns, timelineRows, noticeRows, composerRows } = layoutOf(state)
  const screen = screenOf(state)
  const theme = themes[state.theme]
  const composerTop = 1 + noticeRows + timelineRows + (screen.toast ? 1 : 0)
  setCursorPosition({ x: screen.composer.cursor.x, y: composerTop + screen.composer.cursor.y })
  return (
    <Box flexDirection="column" width={columns} height={rows} overflow="hidden">
      <Rows theme={theme} lines={[screen.header]} width={columns} height={1} />
      <Rows theme={theme} lines={screen.notices} width={columns} height={noticeRows} />
      <Box height={timelineRows} width={columns} flexShrink={0}>
        {sidebarColumns > 0 && (
          <Rows theme={theme} lines={screen.sidebar} width={sidebarColumns} height={timelineRows} />
        )}
        {sidebarColumns > 0 && (
          <Box width={1} height={timelineRows} flexShrink={0}>
            <Text>{anchors(timelineRows)}</Text>
          </Box>
        )}
        <Rows theme={theme} lines={screen.main} width={timelineColumns} height={timelineRows} />
      </Box>
      {screen.toast && <Rows theme={theme} lines={[screen.toast]} width={columns} height={1} />}
      <Rows theme={theme} lines={screen.composer.lines} width={columns} height={composerRows} />
      <Rows theme={theme} lines={[screen.status]} width={columns} height={1} />
    </Box>
  )
}
