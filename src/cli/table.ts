// Tables of text for people: columns padded to their widest cell. Cells must be safe for a terminal already.

export interface Column<Row> {
  head: string
  cell: (row: Row) => string
}

export const formatTable = <Row>(columns: Column<Row>[], rows: Row[]): string => {
  const lines = [columns.map(({ head }) => head), ...rows.map((row) => columns.map(({ cell }) => cell(row)))]
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => line[index]?.length ?? 0)))
  const format = (line: string[]): string =>
    line
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd()
  return lines.map(format).join('\n')
}
