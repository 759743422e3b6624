// Draws lines, each in a row of its own. A line that is the same object is not drawn anew.
import { Box, Text } from 'ink'
import { memo, type ReactNode } from 'react'
import type { Line } from '../lines.ts'
import type { Theme } from '../theme.ts'

const Row = memo(function Row({ spans, theme }: { spans: Line; theme: Theme }): ReactNode {
  return (
    <Text wrap="truncate-end">
      {spans.length === 0
        ? ' '
        : spans.map(({ text, style, paint }, index) => (
            // Spans have no identity but their place.
            <Text key={index} {...theme[style]} {...paint}>
              {text}
            </Text>
          ))}
    </Text>
  )
})

export interface RowsProps {
  lines: readonly Line[]
  width: number
  height: number
  theme: Theme
}
export function Rows({ lines, width, height, theme }: RowsProps): ReactNode {
  return (
    <Box flexDirection="column" width={width} height={height} flexShrink={0} overflow="hidden">
      {lines.map((spans, index) => (
        <Row key={index} spans={spans} theme={theme} />
      ))}
    </Box>
  )
}
