/** What an aggregator asks single nodes: what they used, and for a recording of what a detector reads there. */
import {
  decodeRecordingTold,
  encodeRecordingAsk,
  RECORDING_TOPIC,
  RECORDING_TTL_MS,
  type RecordingAnswer,
  type RecordingQuery,
  recordingAskTopic,
} from '../detectors/recording/notes.ts'
import {
  askTopic,
  decodeTold,
  encodeAsk,
  USAGE_TOPIC,
  USAGE_TTL_MS,
  type UsageAnswer,
  type UsageQuery,
} from '../detectors/usage/notes.ts'
import { NodeDesk } from './node-desk.ts'

export interface NodeDesks {
  readonly usage: NodeDesk<UsageQuery, UsageAnswer>
  readonly recordings: NodeDesk<RecordingQuery, RecordingAnswer>
}

export function createNodeDesks(): NodeDesks {
  return {
    usage: new NodeDesk({
      answerTopic: USAGE_TOPIC,
      // There and back take a fraction of a second; then the node is cut off, or its agent is of before this question.
      withinMs: 5_000,
      ttlMs: USAGE_TTL_MS,
      question: (asked) => [askTopic(asked.node), encodeAsk(asked)],
      answer: decodeTold,
      remedy: () => 'on the node itself, `starling usage --local` asks its agent',
    }),
    recordings: new NodeDesk({
      answerTopic: RECORDING_TOPIC,
      // The longest look of a detector that ships takes up to 45 s.
      withinMs: 60_000,
      ttlMs: RECORDING_TTL_MS,
      question: (asked) => [recordingAskTopic(asked.node), encodeRecordingAsk(asked)],
      answer: (_, bytes) => decodeRecordingTold(bytes),
      remedy: ({ query: { detector } }) =>
        `it is cut off, or its agent is older than this question; run there: starling plugin record ${detector} --here`,
    }),
  }
}
