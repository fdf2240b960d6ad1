/** What the API says of reports. */
import type { ReportConfig } from './config.ts'
import type { Schedule } from './schedule.ts'

export interface ReportView {
  readonly name: string
  readonly kind: ReportConfig['kind']
  readonly schedule: Schedule
  readonly roles: readonly string[]
  /** RFC 3339, UTC; null when it is never due. */
  readonly next: string | null
  /** Addresses of mail, folders, and the origins of webhooks. */
  readonly to: readonly string[]
  /** Reports that are not delivered yet. */
  readonly waiting: number
}

export interface ReportPreview {
  readonly items: readonly {
    readonly role: string
    readonly subject: string
    readonly text: string
    readonly html: string
  }[]
}
