/** The `approvals` part of the settings: by what people may decide on plans. */
import { z } from 'zod'

/** Without defaults, as the document that it is part of. */
export const approvalsPart = z.strictObject({
  /**
   * Whether decisions that stand in `Remediation` objects of Kubernetes count; not when it is not given. Whoever may patch
   * these objects decides then, under no name.
   */
  byObject: z.boolean().exactOptional(),
})
