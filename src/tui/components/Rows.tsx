// Draws lines, each in a row of its own. A line that is the same object is not drawn anew.
import { Box, Text } from 'ink'
import { memo, type ReactNode } from 'react'
import type { Line } from '../lines.ts'
import { theme } from '../theme.ts'

const Row = memo(function Row({ spans }: { spans: Line }): ReactNode {
  return (
    <Text wrap="truncate-end">
      {spans.length === 0
        ? ' '
        : spans.map(({ text, style }, index) => (
            // Spans have no identity but their place.
            <Text key={index} {...theme[style]}>
              {text}
            </Text>
          ))}
    </Text>
  )
})

export function Rows({ lines, width, height }: { lines: readonly Line[]; width: number; height: number }): ReactNode {
  return (
    <Box flexDirection="column" width={width} height={height} flexShrink={0} overflow="hidden">
      {lines.map((spans, index) => (
        <Row key={index} spans={spans} />
      ))}
    </Box>
  )
}
