// Two projects: `node` runs everything but the tests that need a document. `happy-dom` runs those, `*.dom.test.ts`, and the conformance suite again.
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { schemesOfFolder } from './conformance/folder.mjs'

const exclude = ['**/node_modules/**']

export default defineConfig({
  plugins: [schemesOfFolder],
  root: fileURLToPath(new URL('..', import.meta.url)),
  test: {
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // One worker a core. Vitest's default leaves a core to itself, which halves the speed on two cores.
    maxWorkers: '100%',
    projects: [
      {
        extends: true,
        test: { name: 'node', environment: 'node', include: ['test/**/*.test.ts'], exclude: [...exclude, '**/*.dom.test.ts'] },
      },
      {
        extends: true,
        test: { name: 'happy-dom', environment: 'happy-dom', include: ['test/**/*.dom.test.ts', 'test/conformance/**/*.test.ts'], exclude },
      },
    ],
  },
})
