// chat get: fetches the attachments of a message, into a directory or to stdout. Each is verified before it has its name.
import { once } from 'node:events'
import type { Command } from '@commander-js/extra-typings'
import type { FetchOptions } from '../../client/api.ts'
import { unknownFile } from '../../client/downloads.ts'
import { safeLine } from '../../client/safe-text.ts'
import { examples } from '../output.ts'
import { chatVerb, usage } from './options.ts'
import { formatSize, ProgressLine, progressText } from './progress.ts'
import { mustKnow, type Opened, withChat } from './with-chat.ts'

const STDOUT = '-'

interface GetFlags {
  out?: string
  name?: string
}

export const registerGet = (program: Command): void => {
  chatVerb(program, 'get <id>')
    .description('download the attachments of a message')
    .addHelpText(
      'before',
      examples(
        'chat get 01934c5e-7a2b-7c3d-8e4f-5a6b7c8d9e0f',
        'chat get 01934c5e-7a2b-7c3d-8e4f-5a6b7c8d9e0f --out ~/Downloads --json',
        'chat get 01934c5e-7a2b-7c3d-8e4f-5a6b7c8d9e0f --out - | tar xz',
      ),
    )
    .option('--out <dir>', 'where to; - is stdout (default: the current directory)')
    .option('--name <name>', 'only the attachment of this name')
    .action((id, flags, command) =>
      withChat(command, async (opened) => {
        if (flags.out === STDOUT && opened.output.isJson)
          throw usage('--out - writes the file to stdout, so not with --json')
        await mustKnow(opened, id)
        await (flags.out === STDOUT ? print(opened, id, flags) : save(opened, id, flags))
      }),
    )
}

const save = async ({ chat, output }: Opened, id: string, { out, name }: GetFlags): Promise<void> => {
  const line = new ProgressLine()
  const options: FetchOptions = {
    onProgress: (file) => line.show(() => progressText(file.name, file.received, file.size)),
    ...(out === undefined ? {} : { directory: out }),
    ...(name === undefined ? {} : { name }),
  }
  const fetched = await chat.fetchAttachments(id, options).finally(() => line.clear())
  output.result(fetched, () => fetched.map(({ path, size }) => `${safeLine(path)} (${formatSize(size)})`).join('\n'))
}

const print = async ({ chat }: Opened, id: string, { name }: GetFlags): Promise<void> => {
  const all = await chat.attachments(id)
  const places = [...all.keys()].filter((index) => name === undefined || all[index]?.name === name)
  const [place, ...more] = places
  if (place === undefined) throw unknownFile(name)
  if (more.length > 0)
    throw usage(`The message has ${all.length} attachments; choose one with --name, or a directory with --out`)
  for await (const bytes of chat.readAttachment(id, place)) {
    if (!process.stdout.write(bytes)) await once(process.stdout, 'drain')
  }
}
