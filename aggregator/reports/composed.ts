/** A report in one language, for one role where it has several, ready to be sent. */
import type { InspectionRun } from '../../inspection/model.ts'
import { htmlOf } from './html.ts'
import type { Layout } from './layout.ts'
import { plainTextOf } from './plain-text.ts'
import type { Review } from './review.ts'

export interface Composed {
  /** Empty for what is not told by role. */
  readonly role: string
  readonly subject: string
  readonly text: string
  readonly html: string
}

/** What it was made of, for programs. */
export type Source = { readonly inspection: InspectionRun } | { readonly review: Review }

export function composed(role: string, layout: Layout): Composed {
  return { role, subject: layout.subject, text: plainTextOf(layout), html: htmlOf(layout) }
}

/** Of an inspection what is about one role. */
export function aboutRole(run: InspectionRun, role: string): InspectionRun {
  const isOf = ({ roles }: { readonly roles: readonly string[] }) => roles.includes(role)
  const sections = run.sections.filter((section) => section.role === role)
  return { ...run, sections, troubles: run.troubles.filter(isOf), silent: run.silent.filter(isOf) }
}
