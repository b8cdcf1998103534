// Checks the documentation site in docs/api: every link of every page leads to a file and an anchor that are there. Prints the sum.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const site = fileURLToPath(new URL('../docs/api', import.meta.url))
const pages = readdirSync(site, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.html'))
  .map((name) => join(site, name))

const anchors = new Map()
function anchorsOf(path) {
  if (!anchors.has(path))
    anchors.set(path, new Set([...readFileSync(path, 'utf8').matchAll(/\s(?:id|name)="([^"]+)"/g)].map(([, id]) => id)))
  return anchors.get(path)
}

const problems = []
let good = 0
for (const page of pages) {
  const html = readFileSync(page, 'utf8').replace(/<script[\s\S]*?<\/script>|<!--[\s\S]*?-->/g, '')
  for (const [, written] of html.matchAll(/\s(?:href|src)="([^"]*)"/g)) {
    const target = written.replaceAll('&amp;', '&')
    // The demo fills in its own files, and other servers are not asked.
    if (/^([a-z]+:|\/\/)/i.test(target)) continue
    const [address = '', anchor = ''] = target.split('#', 2)
    let path = address ? resolve(dirname(page), decodeURIComponent(address.split('?')[0])) : page
    if (existsSync(path) && statSync(path).isDirectory()) path = join(path, 'index.html')
    const isThere = existsSync(path) && (!anchor || !path.endsWith('.html') || anchorsOf(path).has(decodeURIComponent(anchor)))
    if (isThere) good += 1
    else problems.push(`${page.slice(site.length + 1)} links to ${target}`)
  }
}
// A Markdown page for language models, at the root of the site.
for (const [, address] of readFileSync(join(site, 'llms.txt'), 'utf8').matchAll(/\]\(([^)]+)\)/g)) {
  if (existsSync(join(site, address))) good += 1
  else problems.push(`llms.txt links to ${address}`)
}
for (const problem of new Set(problems)) console.error(problem)
console.log(`${good} passed, ${problems.length} failed`)
process.exitCode = problems.length > 0 || pages.length === 0 ? 1 : 0
