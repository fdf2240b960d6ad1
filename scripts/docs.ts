/** Writes the pages of docs/ that are generated from code. A test fails when one is not what this would write. */
import { writeFile } from 'node:fs/promises'
import { API_ROUTES } from '../aggregator/http/api-routes.ts'
import { renderApi } from '../aggregator/http/reference.ts'
import { renderCatalogue } from '../detectors/catalogue.ts'
import { builtinDetectors } from '../detectors/index.ts'
import { renderRemediators } from '../remediators/catalogue.ts'
import { builtinRemediators } from '../remediators/index.ts'

await writeFile(new URL('../docs/detectors.md', import.meta.url), renderCatalogue(builtinDetectors))
await writeFile(new URL('../docs/remediators.md', import.meta.url), renderRemediators(builtinRemediators))
await writeFile(new URL('../docs/api.md', import.meta.url), renderApi(API_ROUTES))
