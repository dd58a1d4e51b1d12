import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {differenceOf} from '#src/commands/inspect/difference.js'
import {formatPage} from '#src/commands/inspect/page.js'
import {
  makeImage,
  ociLayout,
  openInBrowser,
  requireTool,
  withTempDir,
  type BrowserPage,
} from '@airgap-mirror/test/kit'
import {expect, test} from 'vitest'
import {inspectEntries, named} from './inspect-kit.js'

const HOSTILE =
  '<img src="https://evil.example/x.png" onerror="document.title=1"><script>document.title=2</script>'

/** A page about a bundle whose texts try to break out, compared with an older one. */
async function hostilePage(): Promise<string> {
  const app = await makeImage({seed: 'browser-app', platforms: ['linux/amd64', 'linux/arm64']})
  const tool = await makeImage({seed: 'browser-tool'})
  const sbom = await makeImage({
    seed: 'browser-sbom',
    layers: 1,
    artifactType: `application/spdx+json;${HOSTILE}`,
    subject: app.root.descriptor,
  })
  const newer = await inspectEntries([
    ...ociLayout([
      named('registry.example:5000/team/app:v1', app),
      {image: tool, annotations: {'org.opencontainers.image.ref.name': HOSTILE}},
      {image: sbom},
    ]),
    {path: `notes ${HOSTILE.replaceAll('/', '_')}`, bytes: Buffer.from('text')},
  ])
  const older = await inspectEntries(ociLayout([named('registry.example:5000/team/app:v1', tool)]))
  const diff = differenceOf(HOSTILE, {older: {inspection: older}, newer})
  return formatPage({...newer, source: `/bundles/${HOSTILE}`, diff}, {madeAt: new Date(0)})
}

/** The contrast of the text with its ground, as WCAG computes it, for each kind of text. */
const CONTRASTS = `(() => {
  const light = (color) => {
    const [r, g, b] = color.match(/[\\d.]+/g).map((part) => part / 255).map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const ground = light(getComputedStyle(document.body).backgroundColor)
  return ['body', '.soft', 'td a', '.lead'].map((selector) => {
    const ink = light(getComputedStyle(document.querySelector(selector)).color)
    return (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05)
  })
})()`

async function groundIn(page: BrowserPage, scheme: 'light' | 'dark'): Promise<unknown> {
  await page.send('Emulation.setEmulatedMedia', {features: [{name: 'prefers-color-scheme', value: scheme}]})
  return page.evaluate('getComputedStyle(document.body).backgroundColor')
}

test('a browser shows the page from a file: without a request, in light and dark, on narrow screens and on paper', (context) => {
  requireTool(context, 'chromium')
  return withTempDir(async (directory) => {
    const path = join(directory, 'page.html')
    await writeFile(path, await hostilePage())
    await using page = await openInBrowser(path)
    const text = String(await page.evaluate('document.body.innerText'))
    expect(text).toContain('registry.example:5000/team/app:v1')
    expect(text).toContain(HOSTILE)
    expect(
      await page.evaluate("document.querySelectorAll('script, img, [onerror], base, form, iframe').length"),
    ).toBe(0)
    expect(await page.evaluate('document.title')).toContain('contents of the bundle')
    expect(page.requests.filter((url) => !/^(?:file|data):/.test(url))).toEqual([])
    expect(page.requests.filter((url) => url.startsWith('file:'))).toHaveLength(1)

    expect(await groundIn(page, 'light')).toBe('rgb(255, 255, 255)')
    const light = (await page.evaluate(CONTRASTS)) as readonly number[]
    expect(await groundIn(page, 'dark')).toBe('rgb(19, 23, 27)')
    const dark = (await page.evaluate(CONTRASTS)) as readonly number[]
    expect([...light, ...dark].filter((contrast) => contrast < 4.5)).toEqual([])

    for (const width of [400, 1200]) {
      await page.send('Emulation.setDeviceMetricsOverride', {
        width,
        height: 900,
        deviceScaleFactor: 1,
        mobile: false,
      })
      // Nothing sticks out at the side.
      expect(
        await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth'),
      ).toBe(0)
    }
    const {data} = await page.send('Page.printToPDF', {})
    expect(Buffer.from(String(data), 'base64').subarray(0, 5).toString()).toBe('%PDF-')
  })
})
