// The documentation page of the service in a real browser: does it work, is it accessible?
import { expect } from 'vitest'
import { browserTest, inChromium, violations } from '../chromium.ts'
import { ANYTHING, handler as linkService } from './served.ts'

const { serve, open } = inChromium()

browserTest('a person tries the service on its page', async () => {
  const origin = await serve(linkService)
  const { page, complaints, fetched } = await open(`${origin}/docs`)
  await page.waitForSelector('main:not([aria-busy])')
  expect(fetched.filter((path) => path !== '/favicon.ico')).toEqual(['/docs', '/openapi.json'])
  expect(await violations(page)).toEqual([])
  expect(await page.locator('section').count()).toBe(7)
  const section = page.getByRole('region', { name: 'POST /sign' })
  await section.getByRole('button').click()
  await section.getByText('Status 401').waitFor()
  await page.getByLabel('Token').fill(ANYTHING)
  await section.getByRole('button').click()
  await section.getByText('Status 200').waitFor()
  const { link } = JSON.parse((await section.getByLabel('Answer of').textContent()) ?? '')
  expect(link).toMatch(/^https:\/\/cdn\.example\/report\.pdf\?expires=/)
  // The line for the terminal works with a variable in place of the token.
  expect(await section.getByLabel('The same with curl').textContent()).not.toContain(ANYTHING)
  await section.getByLabel('Body').fill('{ "scheme": "files", "url": 7, "expires": "10m" }')
  await section.getByRole('button').click()
  await section.getByText('Status 422').waitFor()
  const other = page.getByRole('region', { name: 'POST /generate-secure-md5-link/' })
  await other.getByText('Fields', { exact: true }).click()
  await other.getByRole('rowheader', { name: 'expire_seconds' }).waitFor()
  await other.getByRole('button').click()
  await other.getByText('Status 200').waitFor()
  expect(await other.getByLabel('Answer of').textContent()).toContain('"secure_url": "https://cdn.example/secure/report.pdf?md5=')
  expect(await violations(page)).toEqual([])
  expect(complaints.filter((text) => !/favicon|status of 4/.test(text))).toEqual([])
  await page.context().close()
})
