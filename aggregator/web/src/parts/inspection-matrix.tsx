import { say } from '../../../../common/languages.ts'
import { inspectionPath } from '../../../../inspection/links.ts'
import { type CheckRow, COLUMNS, type InspectionRun, type RoleSection } from '../../../../inspection/model.ts'
import {
  changeOf,
  changeText,
  countText,
  coverageOf,
  hasTrouble,
  legendOf,
  type RenderOptions,
} from '../../../../inspection/render/view.ts'
import {
  COLUMN_LETTERS,
  COLUMN_TEXTS,
  checkTitle,
  INSPECTION_TEXTS,
  roleTitle,
  SILENT_TEXTS,
} from '../../../../inspection/texts.ts'
import { COLUMN_TONES } from '../tones.ts'
import { More } from './more.tsx'

interface MatrixProps {
  readonly run: InspectionRun
  readonly options: RenderOptions
}

/** Check by column, a table for each role; every number leads to what it counts. */
export function InspectionMatrix({ run, options }: MatrixProps) {
  // One is enough: all of them are as wide, and so have letters or words.
  const first = run.sections.find(({ checks }) => checks.some(hasTrouble))
  return (
    <div class="roles">
      {run.sections.map((section) => (
        <Role key={section.role} id={run.id} section={section} options={options} isFirst={section === first} />
      ))}
    </div>
  )
}

interface RoleProps {
  readonly id: string
  readonly section: RoleSection
  readonly options: RenderOptions
  /** Of those with anything to report. */
  readonly isFirst: boolean
}

function Role({ id, section, options, isFirst }: RoleProps) {
  const { language } = options
  const { role } = section
  const rows = section.checks.filter(hasTrouble)
  const folded = section.checks.filter((row) => !hasTrouble(row))
  return (
    <section class="role" data-testid={`role-${role}`}>
      <h2>
        <a href={inspectionPath({ id, role })}>{roleTitle(section, language)}</a>{' '}
        <span class="count">{section.nodes}</span>
      </h2>
      {isFirst && <p class="legend">{legendOf(options)}</p>}
      {rows.length > 0 && <Rows id={id} role={role} rows={rows} options={options} />}
      {rows.length === 0 && <p class="folded">{say(INSPECTION_TEXTS.allFine, language)}</p>}
      {folded.length > 0 && (
        <details>
          <summary>{say(INSPECTION_TEXTS.folded, language, { count: folded.length })}</summary>
          <Rows id={id} role={role} rows={folded} options={options} />
        </details>
      )}
    </section>
  )
}

interface RowsProps extends Pick<RoleProps, 'id' | 'options'> {
  readonly role: string
  readonly rows: readonly CheckRow[]
}

function Rows({ id, role, rows, options: { language, deltas } }: RowsProps) {
  return (
    <table class="matrix">
      <thead>
        <tr>
          <th scope="col">{say(INSPECTION_TEXTS.check, language)}</th>
          {COLUMNS.map((column) => (
            <th key={column} scope="col">
              <abbr title={say(COLUMN_TEXTS[column], language)}>
                <span class="whole">{say(COLUMN_TEXTS[column], language)}</span>
                <span class="letter" aria-hidden="true">
                  {say(COLUMN_LETTERS[column], language)}
                </span>
              </abbr>
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.check}>
            <th scope="row">
              <a href={inspectionPath({ id, role, check: row.check })}>{checkTitle(row, language)}</a>
              {row.wanted !== undefined && (
                <span class="wanted">{say(INSPECTION_TEXTS.wanted, language, { value: row.wanted })}</span>
              )}
            </th>
            {COLUMNS.map((column) => {
              const count = row.counts[column]
              const change = column === 'info' ? '' : changeText(changeOf(deltas, role, row.check, column))
              return (
                <td key={column} class={count === 0 ? 'nought' : `tone-${COLUMN_TONES[column]}`}>
                  {count === 0 ? (
                    countText(0)
                  ) : (
                    <a href={inspectionPath({ id, role, check: row.check, column })}>{count}</a>
                  )}
                  {change !== '' && <span class="change">{change}</span>}
                </td>
              )
            })}
          </tr>
        ))}
      </tbody>
    </table>
  )
}

/** How many were heard, and of the others why not. */
export function SilentNodes({ run, options }: MatrixProps) {
  const { language } = options
  return (
    <section data-testid="silent-nodes">
      <h2>
        {say(INSPECTION_TEXTS.silentNodes, language)} <span class="count">{run.silent.length}</span>
      </h2>
      <p class="folded">{coverageOf(run, options)}</p>
      <More
        items={run.silent}
        language={language}
        show={({ node, roles, why }) => (
          <li key={node}>
            <a href={inspectionPath({ id: run.id, column: 'silent', node })}>{node}</a>
            <p class="row-text">
              {say(SILENT_TEXTS[why], language)} <span class="aside">{roles.join(', ')}</span>
            </p>
          </li>
        )}
      />
    </section>
  )
}
