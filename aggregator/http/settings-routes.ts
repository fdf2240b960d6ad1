/** The API's requests about settings: what is in force, a version handed in, and the way back. */
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { detectorName } from '../../detectors/recording/notes.ts'
import { SIGNED_SETTINGS_BYTES_MAX } from '../../settings/signed.ts'
import { rolloutPart } from '../../settings/stages.ts'
import type { AggregatorPort } from '../model.ts'
import { decided } from './answers.ts'
import { ReleaseBody, via } from './inputs.ts'
import { orConflict } from './refusals.ts'
import { describeRoute, route } from './route.ts'
import { settingsDetail } from './state-answers.ts'

/** The document is checked where it is taken in, so that a mistake in it is told of as in a file. */
const ProposalBody = z.strictObject({
  document: z.unknown().meta({ description: 'docs/settings.md' }),
  rollout: rolloutPart.optional(),
  via: via.default('api'),
})

const ERRORS = { 409: 'as things stand', 503: 'this aggregator does not lead' }

const SETTINGS = describeRoute({
  method: 'GET',
  path: '/api/v1/settings',
  summary: 'The settings in force, who runs them, and versions to go back to',
  answer: settingsDetail,
  tagged: true,
  errors: { 503: ERRORS[503] },
})

const PROPOSE = describeRoute({
  method: 'POST',
  path: '/api/v1/settings',
  summary: 'Hand in a version, which is then rolled out',
  body: ProposalBody,
  answer: decided,
  // A document that just fits, as JSON, and what comes with it.
  bodyLimit: 2 * SIGNED_SETTINGS_BYTES_MAX,
  errors: { 409: 'the document is not valid or not newer', 503: ERRORS[503] },
  example: { body: { document: { version: 8, mesh: 'prod-a' } } },
})

const ROLL_BACK = describeRoute({
  method: 'POST',
  path: '/api/v1/settings/rollback',
  summary: 'Go back to the content of an earlier version',
  body: ReleaseBody.extend({ version: z.int().min(1).optional() }),
  answer: decided,
  errors: ERRORS,
  example: { body: { reason: 'findings jumped' } },
})

const RELEASE_DETECTOR = describeRoute({
  method: 'POST',
  path: '/api/v1/detectors/:name/release',
  summary: 'Let the findings of a detector count again whose version is held',
  params: z.object({ name: detectorName }),
  body: ReleaseBody,
  answer: decided,
  errors: ERRORS,
  example: { params: { name: 'conntrack' }, body: { reason: 'its findings are right' } },
})

export const SETTINGS_ROUTES = [SETTINGS, PROPOSE, ROLL_BACK, RELEASE_DETECTOR]

export function registerSettingsRoutes(server: FastifyInstance, port: AggregatorPort): void {
  route(server, SETTINGS, () => port.settings.detail())

  route(server, PROPOSE, ({ body: { document, rollout, via }, caller }) => {
    const proposal = { document, via, ...(rollout === undefined ? {} : { rollout }) }
    const { settings } = port
    return { event: orConflict('Not taken', () => settings.propose(proposal, caller.name)) }
  })

  route(server, ROLL_BACK, ({ body: { version, ...rest }, caller }) => {
    const rollback = { ...rest, ...(version === undefined ? {} : { version }) }
    const { settings } = port
    return { event: orConflict('Not rolled back', () => settings.rollBack(rollback, caller.name)) }
  })

  route(server, RELEASE_DETECTOR, ({ params: { name }, body, caller }) => {
    const { settings } = port
    return { event: orConflict('Not released', () => settings.release(name, body, caller.name)) }
  })
}
