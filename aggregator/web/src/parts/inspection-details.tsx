import { useEffect, useRef } from 'preact/hooks'
import { say } from '../../../../common/languages.ts'
import { type InspectionPlace, inspectionPath } from '../../../../inspection/links.ts'
import type { InspectionRun, SilentNode, Trouble, TroubleColumn } from '../../../../inspection/model.ts'
import { partAt } from '../../../../inspection/narrow.ts'
import { type RenderOptions, titlesOf, troubleText } from '../../../../inspection/render/view.ts'
import { COLUMN_TEXTS, INSPECTION_TEXTS, roleTitle, SILENT_TEXTS } from '../../../../inspection/texts.ts'
import { INSPECTION_PAGE_TEXTS } from '../texts/inspections.ts'
import { COLUMN_TONES } from '../tones.ts'
import { More } from './more.tsx'
import { Badge } from './small.tsx'

interface DetailsProps {
  readonly run: InspectionRun
  readonly place: InspectionPlace
  readonly options: RenderOptions
}

/** What stands behind the figure that the page's address names, all of it where it names none. */
export function InspectionDetails({ run, place, options }: DetailsProps) {
  const { language, deltas } = options
  const { troubles, silent } = partAt(run, place)
  const isWhole = filtersOf(run, place, options).length === 0
  const isNew = new Set(deltas?.appeared.map(placeOf))
  const gone = deltas === undefined ? [] : partAt({ ...run, troubles: deltas.gone }, place).troubles
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    // On a phone they are far below the number that was chosen; a screen reader goes there, too.
    if (!isWhole) heading.current?.focus()
  }, [isWhole])
  return (
    <section id="details" data-testid="details">
      <h2 ref={heading} tabIndex={-1}>
        {say(INSPECTION_TEXTS.details, language)} <span class="count">{troubles.length + silent.length}</span>
      </h2>
      {!isWhole && <Filters run={run} place={place} options={options} />}
      {troubles.length + silent.length === 0 && (
        <p class="folded">{say(isWhole ? INSPECTION_TEXTS.allFine : INSPECTION_PAGE_TEXTS.nothingListed, language)}</p>
      )}
      <More
        items={worstFirst(troubles, silent)}
        beyond={isWhole ? (run.leftOut ?? 0) : 0}
        language={language}
        show={(item) =>
          'column' in item ? (
            <TroubleRow
              key={placeOf(item)}
              trouble={item}
              isNew={isNew.has(placeOf(item))}
              run={run}
              options={options}
            />
          ) : (
            <SilentRow key={item.node} silent={item} run={run} options={options} />
          )
        }
      />
      {gone.length > 0 && (
        <details>
          <summary>
            {say(INSPECTION_TEXTS.gone, language)} ({gone.length})
          </summary>
          <More
            items={gone}
            language={language}
            show={(trouble) => (
              <TroubleRow key={placeOf(trouble)} trouble={trouble} isNew={false} run={run} options={options} />
            )}
          />
        </details>
      )}
    </section>
  )
}

const BEFORE_SILENCE: readonly TroubleColumn[] = ['error', 'alarm']

/** What is shown in red before what is not; a node that says nothing may be dead. */
function worstFirst(troubles: readonly Trouble[], silent: readonly SilentNode[]): readonly (Trouble | SilentNode)[] {
  const isWorse = ({ column }: Trouble) => BEFORE_SILENCE.includes(column)
  return [...troubles.filter(isWorse), ...silent, ...troubles.filter((trouble) => !isWorse(trouble))]
}

interface SilentRowProps extends Omit<DetailsProps, 'place'> {
  readonly silent: SilentNode
}

function SilentRow({ silent: { node, why }, run, options: { language } }: SilentRowProps) {
  return (
    <li data-testid="silent">
      <Badge tone={COLUMN_TONES.silent}>{say(COLUMN_TEXTS.silent, language)}</Badge>
      <p class="row-text">
        <a href={inspectionPath({ id: run.id, node })}>{node}</a> {say(SILENT_TEXTS[why], language)}
      </p>
    </li>
  )
}

interface TroubleRowProps extends Omit<DetailsProps, 'place'> {
  readonly trouble: Trouble
  readonly isNew: boolean
}

function TroubleRow({ trouble, isNew, run, options }: TroubleRowProps) {
  const { node, check, column, reason } = trouble
  const { language } = options
  return (
    <li data-testid="trouble">
      <span class="chips">
        <Badge tone={COLUMN_TONES[column]}>{say(COLUMN_TEXTS[column], language)}</Badge>
        {isNew && <Badge tone="info">{say(INSPECTION_TEXTS.appeared, language)}</Badge>}
      </span>
      <div class="row-text">
        <p>
          <a href={inspectionPath({ id: run.id, node })}>{node}</a> {troubleText(trouble, options)}
        </p>
        <p class="aside">
          {titlesOf(run, options)(check)} · {reason}
        </p>
      </div>
    </li>
  )
}

/** What the address asks for, each with the way to ask for all but that. */
function Filters({ run, place, options }: DetailsProps) {
  const { language } = options
  return (
    <p class="chips" data-testid="filters">
      {filtersOf(run, place, options).map(({ key, says }) => {
        const { [key]: _, ...others } = place
        return (
          <a key={key} class="filter" href={inspectionPath({ ...others, id: run.id })}>
            {says} <span aria-hidden="true">✕</span>
          </a>
        )
      })}
      <a class="filter" href={inspectionPath({ id: run.id })}>
        {say(INSPECTION_PAGE_TEXTS.everything, language)}
      </a>
    </p>
  )
}

function filtersOf(run: InspectionRun, place: InspectionPlace, options: RenderOptions) {
  const { role, check, column, node } = place
  const { language } = options
  const section = run.sections.find((one) => one.role === role)
  return [
    ...(role === undefined ? [] : [{ key: 'role', says: roleTitle(section ?? { role }, language) } as const]),
    ...(check === undefined ? [] : [{ key: 'check', says: titlesOf(run, options)(check) } as const]),
    ...(column === undefined ? [] : [{ key: 'column', says: columnText(column, options) } as const]),
    ...(node === undefined ? [] : [{ key: 'node', says: node } as const]),
  ]
}

/** Anything may stand in an address. */
function columnText(column: string, { language }: RenderOptions): string {
  return Object.hasOwn(COLUMN_TEXTS, column) ? say(COLUMN_TEXTS[column as keyof typeof COLUMN_TEXTS], language) : column
}

function placeOf({ node, check }: Trouble): string {
  return JSON.stringify([node, check])
}
