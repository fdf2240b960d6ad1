/** Measures by convergecast: of more nodes than are asked one by one, each its own row. */
import { expect, it } from 'vitest'
import { ConvergedRows } from '../../../aggregator/measures/converged-rows.ts'
import { decodeQuestion } from '../../../inspection/measure-words.ts'
import { HEADS_MAX } from '../../../mesh/core/convergecast.ts'
import { type Convergable, pack } from '../../../mesh/libp2p/convergecast.ts'
import { decodeHop } from '../../../mesh/wire/convergecast.ts'

const QUESTION = { minutes: 5, hoursAfter: 10, containers: false }
const signal = new AbortController().signal
const named = (count: number) => Array.from({ length: count }, (_, n) => `node-${n}`)

/** Whoever is asked brings the rows of all that it is to ask; `forged` are refused as such. */
function meshWith(forged: string) {
  const asked: string[] = []
  const questions: unknown[] = []
  const mesh = {
    async ask(to: string, _topic: string, bytes: Uint8Array) {
      asked.push(to)
      const { query, names } = decodeHop(bytes)
      questions.push(decodeQuestion(query.query.parameters))
      const rows = [to, ...names].map((node) => ({
        node,
        bytes: new TextEncoder().encode(node),
        signature: new Uint8Array(64).fill(node === forged ? 0 : 1),
      }))
      return pack({ rows, unheard: [] }).bytes
    },
    heardWithin: () => [],
    keyring: {
      sign: () => new Uint8Array(64),
      verify: (_node: string, _what: string, _payload: unknown, signature: Uint8Array) => signature[0] === 1,
    },
    now: () => performance.now(),
    roster: { aggregators: [], members: [] },
  }
  // What a convergecast does with a mesh is tested where it is; here it is to bring rows.
  return { mesh: mesh as unknown as Convergable, asked, questions }
}

it('is one question to all, and each genuine row is handed on once', async () => {
  const { mesh, questions, asked } = meshWith('node-7')
  const few = { collect: () => Promise.reject(new Error('asked one by one')) }
  const nodes = named(HEADS_MAX + 136)
  const taken = new Map<string, string>()
  await new ConvergedRows(mesh, 'leader', few).collect(
    QUESTION,
    nodes,
    (node, bytes) => {
      expect(taken.has(node)).toBe(false)
      taken.set(node, new TextDecoder().decode(bytes))
    },
    signal,
  )
  expect(questions[0]).toEqual(QUESTION)
  expect(asked.length).toBeLessThan(nodes.length / 2)
  expect([...taken.keys()].toSorted()).toEqual(nodes.filter((node) => node !== 'node-7').toSorted())
  expect([...taken].every(([node, said]) => node === said)).toBe(true)
})

it('is left to asking one by one where the mesh is small', async () => {
  const { mesh, asked } = meshWith('')
  const askedOneByOne: string[] = []
  const few = {
    async collect(_question: object, nodes: readonly string[]) {
      askedOneByOne.push(...nodes)
    },
  }
  await new ConvergedRows(mesh, 'leader', few).collect(QUESTION, named(HEADS_MAX), () => {}, signal)
  expect([askedOneByOne.length, asked]).toEqual([HEADS_MAX, []])
})
