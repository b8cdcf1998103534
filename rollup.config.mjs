// What the build writes: dist/ file for file with declarations, the two CDN bundles, and the conformance suite as one module.
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import terser from '@rollup/plugin-terser'
import typescript from '@rollup/plugin-typescript'
import ts from 'typescript'
import { njs } from './src/njs/es5.mjs'
import { schemesOfFolder } from './test/conformance/folder.mjs'

rmSync('dist', { recursive: true, force: true })

/** The TypeScript files of a folder of src, without those of its own folders. */
const list = (folder) =>
  readdirSync(`src/${folder}`)
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join('src', folder, name))

// The doors are the files in src itself; NGINX's has a build of its own.
const doors = list('.').filter((file) => file !== 'src/njs.ts')
const entries = [...doors, ...list('schemes'), ...list('stores'), 'src/cli/bin.ts']

const compile = (options = {}) =>
  typescript({
    tsconfig: 'tsconfig.json',
    noEmit: false,
    noForceEmit: true,
    declaration: false,
    isolatedDeclarations: false,
    exclude: ['../test/**'],
    ...options,
  })

/**
 * TypeScript wraps `import(name)` in a helper that it does not write, and that changes `.ts` to `.js`. The command imports schemes by names that
 * need no change.
 */
const plainImports = {
  name: 'plain-imports',
  transform: (code) =>
    code.includes('__rewriteRelativeImportExtension(')
      ? { code: code.replaceAll('__rewriteRelativeImportExtension(', '('), map: null }
      : null,
}

/**
 * Takes @noble/hashes in, from this folder's node_modules: MD5 is not in WebCrypto, and the package has no dependencies at run time. Its licence
 * asks for the notice, and a folder called node_modules would not be packed.
 */
const noble = {
  name: 'noble',
  resolveId: (id, from) =>
    id.startsWith('@noble/hashes/')
      ? `${process.cwd()}/node_modules/${id}`
      : from?.includes('/@noble/hashes/')
        ? join(dirname(from), id)
        : null,
  generateBundle(_, bundle) {
    const folder = Object.keys(bundle)
      .find((file) => file.includes('@noble/hashes/'))
      ?.replace(/[^/]*$/, '')
    if (folder) this.emitFile({ type: 'asset', fileName: `${folder}LICENSE`, source: readFileSync('node_modules/@noble/hashes/LICENSE') })
  },
}

/**
 * Declarations name modules by the files that are in dist/, because Deno and CDNs load them by these names: a module of types alone gets a
 * file, too, and what is inside of the one file for NGINX gets no declarations.
 */
const declarations = {
  name: 'declarations',
  generateBundle: {
    order: 'post',
    handler(_, files) {
      for (const file of Object.values(files).filter(({ fileName }) => fileName.endsWith('.d.ts'))) {
        const fileName = file.fileName.replace(/\.d\.ts$/, '.js')
        file.source = `${file.source}`.replace(/(from |import\()('\.[^']*)\.ts'/g, "$1$2.js'")
        if (fileName.startsWith('njs')) {
          if (!['njs/securelink.js', 'njs/request.js'].includes(fileName)) delete files[file.fileName]
        } else if (!files[fileName]) {
          this.emitFile({ type: 'asset', fileName, source: `/* @ts-self-types="./${basename(file.fileName)}" */\nexport {}\n` })
        }
      }
    },
  },
}

// What CDN users get. The first bundle calls nothing of WebCrypto but HMAC; the second has every scheme, for pages that show all kinds of links.
const BUNDLES = {
  securelink: ['src/index.ts', 'src/recognise.ts', 'src/client.ts', 'src/schemes/pichax.ts'],
  'securelink.all': ['src/index.ts', 'src/recognise.ts', 'src/client.ts', 'src/media.ts', 'src/explain.ts', ...list('schemes')],
}

/** Makes modules of the names in BUNDLES; they exist for the build only. */
const bundles = {
  name: 'bundles',
  resolveId: (id) => (id in BUNDLES ? `\0${id}` : null),
  load: (id) =>
    id[0] === '\0' && id.slice(1) in BUNDLES
      ? BUNDLES[id.slice(1)].map((file) => `export * from '${process.cwd()}/${file}'`).join('\n')
      : null,
}

const json = {
  name: 'json',
  transform: (code, id) => (id.endsWith('.json') ? { code: `export default ${code}`, map: { mappings: '' } } : null),
}

// The pages that show the bundles with an `integrity` attribute; the build keeps them true.
const PAGES = ['README.md', 'docs/guide/browser.md']

/** Prints the hashes for `integrity` attributes, and writes them into the pages that have some. */
const sri = {
  name: 'sri',
  writeBundle({ file }) {
    const hash = `sha384-${createHash('sha384').update(readFileSync(file)).digest('base64')}`
    console.log(`${file} ${hash}`)
    const written = new RegExp(`(${basename(file)}[^]{0,40}?)sha384-[\\w+/=]+`, 'g')
    for (const page of PAGES.filter((page) => existsSync(page))) {
      const text = readFileSync(page, 'utf8')
      const mended = text.replace(written, `$1${hash}`)
      if (mended !== text) writeFileSync(page, mended)
    }
  },
}

/** Only removes the types, which the first build below has checked. */
const strip = {
  name: 'strip',
  transform(code, id) {
    if (!id.endsWith('.ts')) return null
    const compilerOptions = { target: 'ES2022', module: 'ESNext', verbatimModuleSyntax: true, sourceMap: true }
    const { outputText, sourceMapText } = ts.transpileModule(code, { compilerOptions, fileName: id })
    return { code: outputText.replace(/\n\/\/# sourceMappingURL=.*/, ''), map: JSON.parse(sourceMapText) }
  },
}

// A classic script must not let its names out into the page, so only the module's top level is mangled.
const minify = (module) => terser({ ecma: 2022, module, compress: { passes: 3 }, mangle: { toplevel: module } })

export default [
  {
    input: entries,
    external: [/^node:/],
    output: {
      dir: 'dist',
      format: 'es',
      preserveModules: true,
      preserveModulesRoot: 'src',
      entryFileNames: ({ name }) => `${name.replace('node_modules/', 'vendor/')}.js`,
      // Through the second one Deno finds the types of a module that is imported by its address.
      banner: ({ name }) =>
        name.includes('@noble/hashes/')
          ? '/*! @noble/hashes - MIT License (c) 2022 Paul Miller (paulmillr.com) */'
          : `/* @ts-self-types="./${basename(name)}.d.ts" */`,
      sourcemap: true,
      sourcemapExcludeSources: false,
    },
    plugins: [
      noble,
      compile({ declaration: true, isolatedDeclarations: true, declarationDir: 'dist', outDir: 'dist' }),
      plainImports,
      declarations,
    ],
  },
  {
    input: 'src/njs.ts',
    output: { file: 'dist/njs/securelink.js', format: 'es' },
    plugins: [njs],
  },
  {
    input: 'securelink',
    output: [
      { file: 'dist/securelink.umd.js', format: 'umd', name: 'SecureLink', sourcemap: true, plugins: [minify(false), sri] },
      { file: 'dist/securelink.min.js', format: 'es', sourcemap: true, plugins: [minify(true), sri] },
    ],
    plugins: [bundles, strip],
  },
  {
    input: 'securelink.all',
    output: {
      file: 'dist/securelink.all.umd.js',
      format: 'umd',
      name: 'SecureLink',
      sourcemap: true,
      // The tables of `explain` are loaded when they are needed, and a classic script is one file.
      inlineDynamicImports: true,
      plugins: [minify(false), sri],
    },
    plugins: [noble, bundles, strip],
  },
  {
    input: 'test/conformance/run.ts',
    output: { file: 'build/conformance.js', format: 'es' },
    plugins: [schemesOfFolder, noble, json, strip],
  },
]
