/** Where plugins are looked for: part of the configuration of agents and aggregators alike. */
import { z } from 'zod'

export const PLUGINS_FOLDER = '/etc/starling/plugins.d'

export const pluginsPart = z.strictObject({
  /** Files of plugins: *.ts, *.js, *.mjs, and manifests *.yaml. */
  folder: z.string().startsWith('/', 'must be an absolute path').default(PLUGINS_FOLDER),
  /** Names of npm packages that are plugins, found from that folder as Node finds them. */
  packages: z
    .array(z.string().regex(/^(@[\w.-]+\/)?[\w.-]+$/, 'must be the name of a package'))
    .max(64)
    .default([]),
})
