import { useState } from 'preact/hooks'
import { type Language, say } from '../../../../common/languages.ts'
import { inspectionPath } from '../../../../inspection/links.ts'
import type { InspectionRun } from '../../../../inspection/model.ts'
import { againstOf, changeText, figuresOf, headOf, type RenderOptions } from '../../../../inspection/render/view.ts'
import { COLUMN_TEXTS, INSPECTION_TEXTS } from '../../../../inspection/texts.ts'
import type { InspectionAnswer, InspectionSummary } from '../../../inspection/model.ts'
import type { StoredEvent } from '../../../model.ts'
import { postInspection } from '../api.ts'
import { reasonOf } from '../failure.ts'
import { useInspection } from '../inspection-feed.ts'
import { useLanguage } from '../language.ts'
import type { InspectionView } from '../place.ts'
import { INSPECTION_PAGE_TEXTS } from '../texts/inspections.ts'
import { COLUMN_TONES } from '../tones.ts'
import { InspectionDetails } from './inspection-details.tsx'
import { InspectionMatrix, SilentNodes } from './inspection-matrix.tsx'
import { Section, Time } from './small.tsx'

interface InspectionProps {
  readonly view: InspectionView
  /** Oldest first; some say that there is another inspection. */
  readonly events: readonly StoredEvent[]
}

/** One inspection: its figures, the matrix of checks, who is silent, and what stands behind the figure that was chosen. */
export function Inspection({ view, events }: InspectionProps) {
  const language = useLanguage()
  const heard = events.findLast(({ kind }) => kind === 'inspection')?.id ?? ''
  const { list, answer, failure } = useInspection(view.id, heard)
  return (
    <main class="inspection" data-testid="inspection">
      <div class="inspection-bar">
        <Anew language={language} isRunning={answer?.kind === 'running'} />
      </div>
      {failure !== undefined && (
        <p class="notice notice-bad" role="alert">
          {reasonOf(failure, language)}
        </p>
      )}
      {answer?.kind === 'running' && (
        <p class="notice" role="status" data-testid="progress">
          {say(INSPECTION_PAGE_TEXTS.asking, language, { ...answer.progress })}{' '}
          <progress value={answer.progress.answered} max={Math.max(1, answer.progress.of)} aria-hidden="true" />
        </p>
      )}
      {list?.length === 0 && view.id === undefined && (
        <p class="notice">{say(INSPECTION_PAGE_TEXTS.noneYet, language)}</p>
      )}
      {answer?.kind === 'done' && <Run answer={answer} view={view} language={language} />}
      {list !== undefined && list.length > 0 && <Earlier list={list} answer={answer} language={language} />}
    </main>
  )
}

/** What comes of it stands at its own address. */
function Anew({ language, isRunning }: { language: Language; isRunning: boolean }) {
  const [failure, setFailure] = useState<unknown>()
  async function begin(): Promise<void> {
    setFailure(undefined)
    try {
      location.assign(inspectionPath({ id: await postInspection() }).slice(1))
    } catch (error) {
      setFailure(error)
    }
  }
  return (
    <>
      <button type="button" disabled={isRunning} onClick={begin}>
        {say(INSPECTION_PAGE_TEXTS.anew, language)}
      </button>
      {failure !== undefined && (
        <p role="alert" class="failure">
          {say(INSPECTION_PAGE_TEXTS.failed, language, { why: reasonOf(failure, language) })}
        </p>
      )}
    </>
  )
}

interface RunProps {
  readonly answer: Extract<InspectionAnswer, { kind: 'done' }>
  readonly view: InspectionView
  readonly language: Language
}

function Run({ answer: { run, deltas }, view, language }: RunProps) {
  const { timeZone: zone } = Intl.DateTimeFormat().resolvedOptions()
  const options: RenderOptions = { language, zone, link: inspectionPath, ...(deltas && { deltas }) }
  const place = { ...view, id: run.id }
  return (
    <>
      <Head run={run} options={options} />
      <div class="columns">
        <div class="column">
          <InspectionMatrix run={run} options={options} />
          <SilentNodes run={run} options={options} />
        </div>
        <div class="column">
          <InspectionDetails key={JSON.stringify(place)} run={run} place={place} options={options} />
        </div>
      </div>
    </>
  )
}

function Head({ run, options }: { run: InspectionRun; options: RenderOptions }) {
  const [title, ...rest] = headOf(run, options)
  const against = againstOf(options)
  return (
    <>
      <h2 class="inspection-title">{title}</h2>
      <p class="aside">{[...rest, ...(against === undefined ? [] : [against])].join(' · ')}</p>
      <dl class="figures" data-testid="inspection-figures">
        {figuresOf(run, options).map(({ column, label, count, change }) => (
          <div key={column} class={`figure tone-${count === 0 ? 'none' : COLUMN_TONES[column]}`}>
            <dt>{label}</dt>
            <dd>
              <a href={inspectionPath({ id: run.id, column })}>{count}</a>{' '}
              {change !== 0 && <span class="change">{changeText(change)}</span>}
            </dd>
          </div>
        ))}
      </dl>
    </>
  )
}

interface EarlierProps {
  readonly list: readonly InspectionSummary[]
  readonly answer: InspectionAnswer | undefined
  readonly language: Language
}

const TOLD = ['error', 'alarm', 'warn', 'unknown'] as const

function Earlier({ list, answer, language }: EarlierProps) {
  const shown = answer?.kind === 'done' ? answer.run.id : answer?.id
  return (
    <Section id="inspections" title={say(INSPECTION_PAGE_TEXTS.earlier, language)} count={list.length}>
      <ul class="rows earlier">
        {list.map(({ id, finishedAt, profile, nodes, origin, counts }) => (
          <li key={id}>
            <a href={inspectionPath({ id })} {...(id === shown ? { 'aria-current': 'page' as const } : {})}>
              <Time at={finishedAt} />
            </a>
            <p class="row-text aside">
              {[
                ...(profile === 'default' ? [] : [profile]),
                say(INSPECTION_TEXTS.nodes, language, { count: nodes }),
                say(INSPECTION_TEXTS[origin], language),
                ...TOLD.map((column) => `${say(COLUMN_TEXTS[column], language)} ${counts[column]}`),
              ].join(' · ')}
            </p>
          </li>
        ))}
      </ul>
    </Section>
  )
}
