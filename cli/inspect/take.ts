/** Takes an inspection; a fresh one is waited for. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { InspectionAnswer, InspectionOrderBody } from '../../aggregator/inspection/model.ts'
import { StarlingError } from '../../common/errors.ts'
import type { ApiClient } from '../client.ts'
import { showProgress } from '../output.ts'

const POLL_MS = 250

export type Taken = Extract<InspectionAnswer, { kind: 'done' }>

/** Throws StarlingError when it cannot be taken. */
export async function take(client: ApiClient, order: InspectionOrderBody): Promise<Taken> {
  let answer = await client.inspect(order)
  const progress = showProgress('nodes that answered')
  try {
    while (answer.kind === 'running') {
      progress.tell(answer.progress.answered, answer.progress.of)
      await sleep(POLL_MS)
      answer = await client.inspection(answer.id)
    }
    return answer
  } finally {
    progress.end()
  }
}

/** Throws StarlingError when there is none of that id, or it is not over. */
export async function taken(client: ApiClient, id: string): Promise<Taken> {
  const answer = await client.inspection(id)
  if (answer.kind === 'done') return answer
  throw new StarlingError('this inspection is not over', { remedy: 'ask for it again in a few seconds' })
}
