/** Writes the pages of docs/ that are generated from code. A test fails when one is not what this would write. */
import { writeFile } from 'node:fs/promises'
import { renderCatalogue } from '../detectors/catalogue.ts'
import { builtinDetectors } from '../detectors/index.ts'

await writeFile(new URL('../docs/detectors.md', import.meta.url), renderCatalogue(builtinDetectors))
