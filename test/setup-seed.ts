/** Gives every property test of a run the same seed, which vitest.config.ts chose and printed. */
import fc from 'fast-check'

const seed = Number(process.env.STARLING_SEED)
if (!Number.isInteger(seed)) throw new Error(`STARLING_SEED must be a whole number, not "${process.env.STARLING_SEED}"`)

fc.configureGlobal({ ...fc.readConfigureGlobal(), seed })
