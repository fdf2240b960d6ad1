/** Keeps an inspection and the list of those that are kept up to date, and asks for a fresh one. */
import { useEffect, useState } from 'preact/hooks'
import type { InspectionAnswer, InspectionSummary } from '../../inspection/model.ts'
import { fetchInspection, fetchInspections } from './api.ts'

/** While nodes are asked. */
const POLL_MS = 500

export interface InspectionFeed {
  /** Newest first; undefined until it is known. */
  readonly list: readonly InspectionSummary[] | undefined
  readonly answer: InspectionAnswer | undefined
  /** Why the one that was asked for cannot be shown; undefined otherwise. */
  readonly failure: unknown
}

/** `id`: the newest without it. `heard`: changes when there may be another. */
export function useInspection(id: string | undefined, heard: string): InspectionFeed {
  const [list, setList] = useState<readonly InspectionSummary[]>()
  const [answer, setAnswer] = useState<InspectionAnswer>()
  const [failure, setFailure] = useState<unknown>()
  const wanted = id ?? list?.[0]?.id

  useEffect(() => {
    let isOver = false
    fetchInspections().then(
      (items) => !isOver && setList(items),
      (error: unknown) => !isOver && setFailure(error),
    )
    return () => {
      isOver = true
    }
  }, [heard])

  useEffect(() => {
    if (wanted === undefined) return
    const about = wanted
    let timer: ReturnType<typeof setTimeout> | undefined
    let isOver = false
    async function read(): Promise<void> {
      try {
        const answer = await fetchInspection(about)
        if (isOver) return
        setFailure(undefined)
        setAnswer(answer)
        if (answer.kind === 'running') timer = setTimeout(read, POLL_MS)
      } catch (error) {
        if (isOver) return
        setAnswer(undefined)
        setFailure(error)
      }
    }
    void read()
    return () => {
      isOver = true
      clearTimeout(timer)
    }
  }, [wanted])

  return { list, answer, failure }
}
