// Asks homes side by side and resolves with the first R answers; a slow or dead home delays nobody while others answer.
import { asChatError, ChatError } from '../../protocol/errors.ts'

export interface QuorumRead<Answer> {
  peers: readonly string[]
  needed: number
  ask: (peer: string) => Promise<Answer>
}

/** QUORUM_UNAVAILABLE as soon as `needed` answers cannot come any more; its cause is the last failure. */
export const quorumRead = <Answer>({ peers, needed, ask }: QuorumRead<Answer>): Promise<Answer[]> =>
  new Promise((resolve, reject) => {
    const answers: Answer[] = []
    let spare = peers.length - needed
    const failed = (cause?: ChatError): void => {
      if (spare-- === 0) reject(new ChatError('QUORUM_UNAVAILABLE', cause ? { cause } : {}))
    }
    if (spare < 0) {
      spare = 0
      return failed()
    }
    for (const peer of peers) {
      ask(peer).then(
        (answer) => {
          answers.push(answer)
          if (answers.length === needed) resolve(answers)
        },
        (error: unknown) => failed(asChatError(error)),
      )
    }
  })
