// What the build writes: dist/ file for file with declarations, the two CDN bundles, and the conformance suite as one module.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { relative } from 'node:path'
import terser from '@rollup/plugin-terser'
import typescript from '@rollup/plugin-typescript'

rmSync('dist', { recursive: true, force: true })

const list = (folder) =>
  readdirSync(`src/${folder}`)
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `src/${folder}/${name}`)

// These need more than HMAC (a digest, or MD5), so they are subpaths of their own and no part of the CDN bundles.
const NOT_HMAC_ALONE = ['nginx', 's3', 'gcs']

const entries = ['src/index.ts', ...list('schemes'), 'src/http/guard.ts', 'src/http/node.ts', ...list('stores'), 'src/cli/bin.ts']

const compile = (options = {}) =>
  typescript({ tsconfig: 'tsconfig.json', noEmit: false, noForceEmit: true, declaration: false, isolatedDeclarations: false, exclude: ['../test/**'], ...options })

/** A module that exists for the build only: everything that a CDN user gets. */
const bundle = {
  name: 'bundle',
  resolveId: (id) => (id === 'bundle' ? '\0bundle' : null),
  load: (id) =>
    id === '\0bundle'
      ? ['src/index.ts', ...list('schemes').filter((file) => !NOT_HMAC_ALONE.some((name) => file.endsWith(`/${name}.ts`)))]
          .map((file) => `export * from '${process.cwd()}/${file}'`)
          .join('\n')
      : null,
}

const json = { name: 'json', transform: (code, id) => (id.endsWith('.json') ? { code: `export default ${code}`, map: { mappings: '' } } : null) }

/** Prints the hashes for `integrity` attributes; the README's are held to them by a test. */
const sri = {
  name: 'sri',
  writeBundle({ dir, file }, written) {
    for (const name of Object.keys(written).filter((name) => name.endsWith('.js'))) {
      const path = file ?? `${dir}/${name}`
      console.log(`${relative('.', path)} sha384-${createHash('sha384').update(readFileSync(path)).digest('base64')}`)
    }
  },
}

const minify = terser({ ecma: 2022, module: true, compress: { passes: 3, unsafe_arrows: true }, mangle: { toplevel: true } })

export default [
  {
    input: entries,
    external: [/^node:/],
    output: { dir: 'dist', format: 'es', preserveModules: true, preserveModulesRoot: 'src', sourcemap: true, sourcemapExcludeSources: false },
    plugins: [compile({ declaration: true, isolatedDeclarations: true, declarationDir: 'dist', outDir: 'dist' })],
  },
  {
    input: 'bundle',
    output: [
      { file: 'dist/securelink.umd.js', format: 'umd', name: 'SecureLink', sourcemap: true, plugins: [minify, sri] },
      { file: 'dist/securelink.min.js', format: 'es', sourcemap: true, plugins: [minify, sri] },
    ],
    plugins: [bundle, compile()],
  },
  {
    input: 'test/conformance/run.ts',
    output: { file: 'build/conformance.js', format: 'es' },
    plugins: [json, compile({ tsconfig: 'test/tsconfig.json', rootDir: '.', exclude: [] })],
  },
]
