// Makes docs/protocol.md from the declarations in src/protocol: frames, peer methods, errors and limits. `--check` only compares.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { errorTable } from '../src/protocol/errors.ts'
import { clientFrames, type FrameDeclaration, gatewayFrames } from '../src/protocol/frames.ts'
import { limits } from '../src/protocol/limits.ts'
import { rpcMethods } from '../src/protocol/rpc.ts'
import { writeOrCheck } from './generated-doc.ts'

const OUT = join(import.meta.dirname, '..', 'docs', 'protocol.md')
const INTRODUCTION = join(import.meta.dirname, '..', 'docs', 'protocol-introduction.md')

/** What of a valibot schema this document prints. */
interface SchemaView {
  type: string
  entries?: Record<string, SchemaView>
  wrapped?: SchemaView
  item?: SchemaView
  items?: SchemaView[]
  value?: SchemaView
  options?: string[]
  pipe?: { type?: string; description?: string; requirement?: unknown }[]
}

const describe = (schema: SchemaView): string => {
  const note = schema.pipe?.find((step) => step.type === 'description')?.description
  const bound = schema.pipe?.find((step) => step.type === 'max_length')?.requirement
  const text = shapes[schema.type]?.(schema) ?? schema.type
  const details = [note, typeof bound === 'number' ? `at most ${bound} characters` : undefined].filter(Boolean)
  return details.length > 0 ? `${text} (${details.join(', ')})` : text
}
const shapes: Record<string, (schema: SchemaView) => string> = {
  optional: (s) => `${s.wrapped ? describe(s.wrapped) : ''}, optional`,
  array: (s) => `list of ${s.item ? describe(s.item) : 'values'}`,
  tuple: (s) => `[${(s.items ?? []).map(describe).join(', ')}]`,
  record: (s) => `map of ${s.value ? describe(s.value) : 'values'}`,
  picklist: (s) => (s.options ?? []).map((option) => `"${option}"`).join(' or '),
  object: (s) =>
    `{ ${Object.entries(s.entries ?? {})
      .map(([key, value]) => `${key}: ${describe(value)}`)
      .join('; ')} }`,
}

const phases = { before: 'before authentication', after: 'after authentication', always: 'at any time' }

const frameSection = ([type, declared]: [string, FrameDeclaration]): string => {
  const schema = declared.schema as unknown as SchemaView // valibot's schemas are plain objects with these fields
  const fields = Object.entries(schema.entries ?? {}).map(([key, value]) => `| \`${key}\` | ${describe(value)} |`)
  return [
    `### \`${type}\``,
    '',
    `${declared.doc} Sent ${phases[declared.phase]}.${declared.reply ? ` Answered by \`${declared.reply}\`.` : ''}`,
    ...(declared.errors.length > 0 ? ['', `Errors: ${declared.errors.map((code) => `\`${code}\``).join(', ')}.`] : []),
    ...(fields.length > 0 ? ['', '| field | what |', '|---|---|', ...fields] : []),
    '',
    '```json',
    JSON.stringify({ t: type, ...declared.example }),
    '```',
    '',
  ].join('\n')
}

const errorRows = Object.entries(errorTable).map(
  ([code, row]) => `| \`${code}\` | ${row.outcome} | ${row.retryable ? 'yes' : 'no'} | ${row.exit} | ${row.message} |`,
)
const methodRows = rpcMethods()
  .toSorted((a, b) => a.number - b.number)
  .map((m) => `| ${m.number} | \`${m.name}\` | ${m.stream} | ${m.timeoutMs ?? 'one way'} | ${m.doc} |`)
const limitRows = Object.entries(limits).map(([name, value]) => `| \`${name}\` | ${value} |`)

const text = [
  '<!-- Made by `npm run docs` from src/protocol; edit the declarations or protocol-introduction.md. -->',
  readFileSync(INTRODUCTION, 'utf8').trim(),
  '',
  '## Frames a client sends',
  '',
  ...Object.entries(clientFrames).map(frameSection),
  '## Frames a gateway sends',
  '',
  ...Object.entries(gatewayFrames).map(frameSection),
  '## Errors',
  '',
  '| code | outcome | retry helps | exit code | sentence |',
  '|---|---|---|---|---|',
  ...errorRows,
  '',
  '## Methods between nodes',
  '',
  'msgpack payloads on two libp2p streams per pair of peers, `/chatd/rpc-control/1` and `/chatd/rpc-data/1`; numbers are append-only.',
  '',
  '| number | method | stream | deadline in ms | what |',
  '|---|---|---|---|---|',
  ...methodRows,
  '',
  '## Limits',
  '',
  '| limit | value |',
  '|---|---|',
  ...limitRows,
  '',
].join('\n')

writeOrCheck(OUT, text)
