import {expect, it} from 'vitest'
import {digestOf} from '#src/model/index.js'
import {startScripted, type Answer, type Routes} from '../../../test/kit/scripted-server.js'
import {connect} from './registry-kit.js'
import {useSources} from './source-kit.js'

const {open} = useSources()
const REPO = 'nexus/team/app'
const PAGE = '<!DOCTYPE html><html><body>Please sign in</body></html>'

const portal: Answer = {headers: {'content-type': 'text/html; charset=utf-8'}, body: PAGE}

/** A portal that sends whoever has no cookie to its own page. */
const loginPage: Routes = {'/login': portal, '*': {status: 302, headers: {location: '/login'}}}

it('a manifest of a type that is not known is called so, since a digest shows that a registry answers', async () => {
  const body = JSON.stringify({mediaType: 'application/vnd.oci.artifact.manifest.v1+json', blobs: []})
  const headers = {
    'content-type': 'application/vnd.oci.artifact.manifest.v1+json',
    'docker-content-digest': digestOf(Buffer.from(body)),
  }
  await using server = await startScripted({'*': {headers, body}})
  await using registry = connect(server.host, {side: 'source', retries: 0})
  await expect(registry.manifest({registry: server.host, repository: REPO, tag: 'v1'})).rejects.toMatchObject(
    {
      code: 'MANIFEST_INVALID',
      message: expect.stringContaining(
        'unknown manifest type "application/vnd.oci.artifact.manifest.v1+json"',
      ),
      advice: {kind: 'store-artifact-again'},
    },
  )
})

it.each<[string, Routes, RegExp]>([
  [
    'the page of a portal',
    {'*': portal},
    /answers with a web page \(text\/html\) where the manifest of .* should be, at http/,
  ],
  ['a login page behind a redirect', loginPage, /answers with a web page \(text\/html\) .*\/login$/],
  [
    'other JSON',
    {'*': {json: {status: 'ok', version: 3}}},
    /answers with another kind of content \(application\/json\)/,
  ],
  ['an empty success', {'*': {}}, /answers with an empty body/],
])(
  '%s in place of a manifest says which host is no registry, and under which path one may be',
  async (_what, answer, told) => {
    await using server = await startScripted(answer)
    await using registry = connect(server.host, {side: 'source', retries: 0})
    await expect(
      registry.resolve({registry: server.host, repository: REPO, tag: 'v1'}),
    ).rejects.toMatchObject({
      code: 'PROTOCOL',
      side: 'source',
      message: expect.stringMatching(told),
      advice: {kind: 'check-is-registry', host: server.host, path: '/nexus'},
    })
  },
)

it.each<[string, Routes, RegExp]>([
  ['the page of a portal', {'*': portal}, /answers with a web page \(text\/html\) where the list of tags of/],
  ['a login page behind a redirect', loginPage, /answers with a web page .*\/login$/],
  [
    'other JSON',
    {'*': {json: {status: 'ok'}}},
    /another kind of content \(application\/json\) where the list of tags/,
  ],
  ['an empty success', {'*': {}}, /an empty body/],
])('%s in place of a list of tags is no empty list', async (_what, answer, told) => {
  await using server = await startScripted(answer)
  await expect(open([]).listTags(server.host, REPO)).rejects.toMatchObject({
    code: 'PROTOCOL',
    side: 'source',
    message: expect.stringMatching(told),
    advice: {kind: 'check-is-registry', host: server.host},
  })
})

it('the page of a portal in place of the base of the API ends a push before anything is sent', async () => {
  await using server = await startScripted({'*': portal})
  await using registry = connect(server.host, {retries: 0})
  await expect(registry.ping()).rejects.toMatchObject({
    code: 'PROTOCOL',
    side: 'target',
    advice: {kind: 'check-is-registry', host: server.host},
  })
})
