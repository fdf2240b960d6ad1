/** Hands the outbox to the aggregators, and to nobody else. */
import type { Questions } from '../../mesh/libp2p/questions.ts'
import { decodeOutboxAsk, encodeOutboxPage, OUTBOX_TOPIC } from '../../outbox/record.ts'
import type { Outbox } from './outbox.ts'

export function answerOutbox(questions: Questions, outbox: Outbox, isAggregator: (node: string) => boolean): void {
  questions.on(OUTBOX_TOPIC, async (from, bytes) => {
    if (!isAggregator(from)) throw new Error(`${from} is no aggregator`)
    return encodeOutboxPage(outbox.page(decodeOutboxAsk(bytes)))
  })
}
