/** The program that inside.ts starts: it looks at the host that it finds itself on. */
import { createHost } from '../../detectors/host/host.ts'
import { answerQuestions } from './answers.ts'

await answerQuestions((peerOffsets) => createHost({ node: 'node-7', peerOffsets }))
