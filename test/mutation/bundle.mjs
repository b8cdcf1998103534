// Library and tests as one module, on the stand-in for vitest: for mutation testing and for coverage.
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { schemesOfFolder } from '../conformance/folder.mjs'

export const root = fileURLToPath(new URL('../..', import.meta.url))

/** The files that patterns such as `core/*` and `schemes/hmac` mean, in a folder. */
export function expand(folder, patterns, end) {
  const all = patterns.flatMap((pattern) => {
    const [, place, name] = /^(.*\/)?([^/]*)$/.exec(pattern)
    const names = readdirSync(`${root}${folder}/${place ?? ''}`).filter((file) => file.endsWith(end))
    return names.filter((file) => name === '*' || file === `${name}${end}`).map((file) => `${folder}/${place ?? ''}${file}`)
  })
  return [...new Set(all)]
}

// Servers, browsers, other people's packages and the DOM are slow, or missing in this process.
export const SLOW = /\.(server|browser|vendors|dom|python|proxy|reprinted)\.test\.ts$|vendors-reference/

/** Vectors as tests, of the schemes for which `chosen` is true: it is the text of a function. */
export const vectorTests = (chosen) => `
  import { test } from 'vitest'
  import { cases } from '${root}test/conformance/suite.ts'
  const chosen = ${chosen}
  for (const { name, run } of cases) if (chosen(name.split(' ')[0])) test(name, run)`

/** The module of all schemes, with one vector of each group of those that this area does not need. */
const onlyNeeded = (module, needed) =>
  needed
    ? module.replace(/^import vectors(\d+) from '(.*\/([^/]+)\.json)'$/gm, (line, number, path, name) => {
        if (needed.includes(name)) return line
        const vectors = JSON.parse(readFileSync(path, 'utf8'))
        const testGroups = vectors.testGroups.map((group) => ({ ...group, tests: group.tests.slice(0, 1) }))
        return `const vectors${number} = ${JSON.stringify({ ...vectors, testGroups })}`
      })
    : module

const schemeModules = `({ ${expand('src', ['schemes/*'], '.ts')
  .map((file) => `${JSON.stringify(/([^/]+)\.ts$/.exec(file)[1])}: () => import('${root}${file}')`)
  .join(', ')} })[name]()`

const pluginFor = (parts, { needed, fewer }) => ({
  name: 'mutation',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^vitest$/ }, () => ({ path: `${root}test/mutation/vitest.mjs`, external: true }))
    onResolve({ filter: /^virtual:schemes$/ }, ({ path }) => ({ path: schemesOfFolder.resolveId(path), namespace: 'schemes' }))
    // Without the vectors of schemes that this area does not run: they take longer to read than the tests take to fail.
    onLoad({ filter: /.*/, namespace: 'schemes' }, ({ path }) => ({
      contents: onlyNeeded(schemesOfFolder.load(path), needed),
      resolveDir: root,
    }))
    onResolve({ filter: /^part:/ }, ({ path }) => ({ path, namespace: 'part' }))
    onLoad({ filter: /^part:begin:/, namespace: 'part' }, ({ path }) => ({
      contents: `import { file } from 'vitest'\nfile(${JSON.stringify(parts[path.split(':')[2]].name)})`,
      resolveDir: root,
    }))
    onLoad({ filter: /^part:tests:/, namespace: 'part' }, ({ path }) => ({
      contents: parts[path.split(':')[2]].contents,
      resolveDir: root,
    }))
    onLoad({ filter: /\/(src|test)\/[^/].*\.(ts|mjs)$/ }, ({ path }) => {
      let contents = readFileSync(path, 'utf8')
      // A twentieth of the runs of a property test can only make the score lower.
      if (fewer && /\.property\.|service\.test/.test(path)) {
        contents = contents
          .replace(/numRuns: ([\d_]+)/g, (_, runs) => `numRuns: ${Math.ceil(runs.replace('_', '') / 20)}`)
          .replace(/toBeGreaterThan\([\d_]+\)/g, 'toBeGreaterThan(0)')
          // Servers run the source as it is.
          .replace('describe.each(Object.keys(servers))', 'describe.each([])')
      }
      contents = contents
        // The command loads schemes by their files. In the bundle they are modules of it, with the same errors.
        .replace('import(file.href)', (line) => (path.endsWith('/cli/scheme.ts') ? schemeModules : line))
        .replaceAll('import.meta.dirname', JSON.stringify(path.replace(/\/[^/]*$/, '')))
        .replaceAll('import.meta.url', JSON.stringify(`file://${path}`))
      return { contents, loader: 'ts' }
    })
  },
})

/**
 * The text of the bundle. `parts` are `{ name, contents }`, and run in this order; `needed` names the schemes whose vectors are all there (all by
 * default), and with `fewer` property tests have fewer runs.
 */
export async function bundled(parts, options = {}) {
  const { outputFiles } = await build({
    plugins: [pluginFor(parts, options)],
    stdin: {
      contents: parts.map((_, i) => `import 'part:begin:${i}'\nimport 'part:tests:${i}'`).join('\n'),
      resolveDir: root,
      loader: 'js',
    },
    write: false,
    bundle: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    logLevel: 'error',
    // The package says that its modules have no side effects; registering tests is one.
    ignoreAnnotations: true,
  })
  return outputFiles[0].text
}

/** Where a source file is in the bundle, or nothing. */
export function regionOf(bundle, file) {
  const head = `\n// ${file}\n`
  const begin = bundle.indexOf(head)
  if (begin < 0) return undefined
  const start = begin + head.length
  const length = bundle.slice(start).search(/^\/\/ (src|test|node_modules|part:|schemes:|<stdin>|\.\.)/m)
  return { start, end: length < 0 ? bundle.length : start + length }
}
