/**
 * The settings document: all policy of a mesh in one versioned piece. It is signed as a whole, gossiped to every agent
 * and applied as a whole; what an agent keeps in a file of its own is only who it is and where things are.
 */
import { z } from 'zod'
import { inspectionPart } from '../inspection/profile.ts'
import { guardsPart } from '../remediators/guards/settings.ts'
import { policiesPart } from '../remediators/policy/schema.ts'
import { alertingPart } from './alerting.ts'
import { approvalsPart } from './approvals.ts'
import { markingPart } from './marking.ts'
import { overridesPart } from './overrides.ts'
import { rolloutPart } from './stages.ts'

const pluginName = z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, 'names are lower-case letters, digits and dashes')

/** What may stand under a name is known to the detectors and remediators themselves; settings/validate.ts asks them. */
const byPlugin = z.record(pluginName, z.record(z.string().max(100), z.json()))

/** Without defaults: one filled in later would change the bytes that an older signature was made over. */
export const settingsDocument = z.strictObject({
  /** Only ever goes up; agents keep the highest they have seen. */
  version: z.int().min(1),
  /** The mesh it is for: a document of another mesh is refused. */
  mesh: z.string().min(1).max(63),
  /** By name: `enabled`, `every`, `options`. A detector that is not named runs with its defaults. */
  detectors: byPlugin.exactOptional(),
  /** By name: `mode`, `options`. A remediator that is not named only observes. */
  remediators: byPlugin.exactOptional(),
  /** What some nodes are to do otherwise: of those parts that match a node, later ones win. */
  overrides: overridesPart(byPlugin).exactOptional(),
  /** What is tried for which findings on which nodes; the first that fits decides, before the remediators' own modes. */
  policies: policiesPart.exactOptional(),
  /** How much may be disturbed at once and when nothing is mended, whatever policies say. */
  guards: guardsPart.exactOptional(),
  /** By what else than page and command line people may decide on plans. */
  approvals: approvalsPart.exactOptional(),
  /** What people are told of, and who is (docs/alerting.md). */
  alerting: alertingPart.exactOptional(),
  /** How this version reaches the nodes. */
  rollout: rolloutPart.exactOptional(),
  /** What verdicts and findings do to Nodes and pods of Kubernetes; nothing when it is not given. */
  marking: markingPart.exactOptional(),
  /** What inspections look at, beside the default profile. */
  inspection: inspectionPart.exactOptional(),
})

export type SettingsDocument = z.infer<typeof settingsDocument>
