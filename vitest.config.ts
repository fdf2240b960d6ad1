import { defineConfig } from 'vitest/config'

const seed = process.env.STARLING_SEED ?? String(Math.floor(Math.random() * 2 ** 31))
process.stderr.write(`property tests use seed ${seed}; replay with STARLING_SEED=${seed}\n`)

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Processes, not threads: tests start servers, change the environment and load native code.
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 30_000,
    setupFiles: ['test/setup-seed.ts'],
    globalSetup: ['test/leave-nothing.ts'],
    env: { STARLING_SEED: seed },
  },
})
