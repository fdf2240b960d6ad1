/** All routes of the API that are described, in the order in which they are told of. */
import { ALERT_ROUTES } from '../alerting/routes.ts'
import { INSPECTION_ROUTES } from '../inspection/routes.ts'
import { MEASURE_ROUTES } from '../measures/routes.ts'
import { REPORT_ROUTES } from '../reports/routes.ts'
import { AUDIT_ROUTES } from './audit-routes.ts'
import { DESCRIPTION_ROUTES } from './description.ts'
import { EVENT_ROUTES } from './event-routes.ts'
import { LIST_ROUTES } from './list-routes.ts'
import { PERMIT_ROUTES } from './permit-routes.ts'
import type { AnyRouteSpec } from './route.ts'
import { MESH_ROUTES } from './routes.ts'
import { SETTINGS_ROUTES } from './settings-routes.ts'
import { STREAM_ROUTES } from './stream.ts'

export const API_ROUTES: readonly AnyRouteSpec[] = [
  ...MESH_ROUTES,
  ...LIST_ROUTES,
  ...EVENT_ROUTES,
  ...STREAM_ROUTES,
  ...PERMIT_ROUTES,
  ...SETTINGS_ROUTES,
  ...AUDIT_ROUTES,
  ...INSPECTION_ROUTES,
  ...REPORT_ROUTES,
  ...ALERT_ROUTES,
  ...MEASURE_ROUTES,
  ...DESCRIPTION_ROUTES,
]
