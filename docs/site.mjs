// What typedoc needs to know for the site: titles of pages, import names of modules, and the playground. tsconfig.json names this file.
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Converter, PageEvent, ReflectionKind, RendererEvent } from 'typedoc'

const root = fileURLToPath(new URL('..', import.meta.url))

/** The folder of a page decides where it stands in the navigation. */
const GROUPS = [
  [/docs\/guide\//, 'Guides'],
  [/docs\/schemes\//, 'Schemes'],
  [/docs\/(spec|adding-a-scheme|benchmarks)\.md$/, 'Formats and figures'],
  [/./, 'Project'],
]

export function load(app) {
  // Typedoc calls a page by its file, and the first page of docs/schemes README.
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, (context) => {
    for (const page of context.project.getReflectionsByKind(ReflectionKind.Document)) {
      const file = context.project.files.getReflectionPath(page) ?? ''
      const [, title] = /^# (.+)$/m.exec(readFileSync(file, 'utf8')) ?? []
      if (title) page.name = title.replaceAll('`', '')
      page.frontmatter.category ??= GROUPS.find(([path]) => path.test(file))[1]
    }
    for (const module of context.project.getReflectionsByKind(ReflectionKind.Module))
      module.name = module.name === 'index' ? 'securelink' : `securelink/${module.name}`
  })

  // Typedoc writes navigation links as they are given, and copies HTML files that pages link to without the files beside them.
  app.renderer.on(PageEvent.END, (page) => {
    const toRoot = '../'.repeat(page.url.split('/').length - 1)
    page.contents = page.contents?.replaceAll(/href="(playground|[./]*media)\/index\.html"/g, `href="${toRoot}playground/index.html"`)
  })

  app.renderer.on(RendererEvent.END, ({ outputDirectory, project, pages }) => {
    const playground = join(outputDirectory, 'playground')
    cpSync(join(root, 'docs/playground'), playground, { recursive: true })
    // On the site, the bundle stands beside the page.
    const page = readFileSync(join(playground, 'index.html'), 'utf8')
    writeFileSync(join(playground, 'index.html'), page.replace('"../../dist/securelink.all.umd.js"', '"securelink.all.umd.js"'))
    cpSync(join(root, 'dist/securelink.all.umd.js'), join(playground, 'securelink.all.umd.js'))
    rmSync(join(outputDirectory, 'media/index.html'), { force: true })
    writeFileSync(join(outputDirectory, 'llms.txt'), pageForModels(project, pages))
  })
}

/** docs/llms.txt for the root of the site: its links lead to the pages of the site instead of the files in docs. */
function pageForModels(project, pages) {
  const docs = join(root, 'docs')
  const addresses = new Map(pages.map(({ model, url }) => [project.files.getReflectionPath(model), url]))
  return readFileSync(join(docs, 'llms.txt'), 'utf8').replaceAll(/\]\(([^:()#]+)(#[^()]*)?\)/g, (_link, path, anchor = '') => {
    const address = addresses.get(join(docs, path))
    if (!address) throw new Error(`docs/llms.txt links to ${path}, which is not a page of the site`)
    return `](${address}${anchor})`
  })
}
