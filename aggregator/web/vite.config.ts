/** Builds the page into dist/: plain files that the aggregator serves, with nothing loaded from elsewhere. */
import { defineConfig } from 'vite'

export default defineConfig({
  root: import.meta.dirname,
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2022',
    // The server's content security policy allows files of its own and no data: addresses.
    assetsInlineLimit: 0,
  },
})
