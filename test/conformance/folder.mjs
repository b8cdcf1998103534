// The folder is the list: a module `virtual:schemes`, made from src/schemes and the vector files beside this one, for the bundle and for vitest.
import { existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const schemes = fileURLToPath(new URL('../../src/schemes/', import.meta.url))
const vectors = fileURLToPath(new URL('vectors/', import.meta.url))
const camel = (name) => name.replace(/-./g, (dash) => dash[1].toUpperCase())

/** The names of the schemes: those of the files in src/schemes that have vectors. */
export const names = () =>
  readdirSync(schemes)
    .filter((file) => file.endsWith('.ts'))
    .map((file) => file.slice(0, -'.ts'.length))
    .filter((name) => existsSync(`${vectors}${name}.json`))
    .sort()

/** A plugin for Rollup and Vite. The module's default export is a list of `{ make, vectors }`. */
export const schemesOfFolder = {
  name: 'schemes-of-folder',
  resolveId: (id) => (id === 'virtual:schemes' ? '\0virtual:schemes' : null),
  load(id) {
    if (id !== '\0virtual:schemes') return null
    const imports = names().map(
      (name, i) => `import { ${camel(name)} as make${i} } from '${schemes}${name}.ts'\nimport vectors${i} from '${vectors}${name}.json'`,
    )
    const entries = names().map((_, i) => `{ make: make${i}, vectors: vectors${i} }`)
    return `${imports.join('\n')}\nexport default [${entries.join(', ')}]`
  },
}
