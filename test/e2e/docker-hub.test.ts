import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {expect, onTestFinished, test} from 'vitest'
import {addImage, makeAuthority, makeImage, makeTempDir, runMirror, startProxy} from '@airgap-mirror/test/kit'
import {startRegistry} from '@airgap-mirror/test/registry'
import {argv} from './argv.js'
import {named, writeOciBundle} from './push.js'

const API = 'registry-1.docker.io'

test('docker.io as a target is reached at the host of its API by push, sync and copy, with the login for docker.io', async () => {
  const home = await makeTempDir()
  const authority = await makeAuthority()
  const users = [{name: 'team', password: 'secret'}]
  await using hub = await startRegistry({
    tls: await authority.issue({hosts: [API]}),
    auth: {type: 'basic', users},
    strict: true,
  })
  await using source = await startRegistry()
  // The proxy knows no other name, so that nothing here reaches the real one.
  await using proxy = await startProxy({names: {[API]: hub.host}})
  onTestFinished(() => home.remove())
  const ca = join(home.path, 'ca.pem')
  await writeFile(ca, authority.ca)
  const config = join(home.path, 'config.json')
  const auth = Buffer.from('team:secret').toString('base64')
  await writeFile(config, JSON.stringify({auths: {'https://index.docker.io/v1/': {auth}}}))
  const image = await makeImage({seed: 'hub'})
  await addImage(source, image, {repository: 'app', tag: 'v1'})
  const bundle = await writeOciBundle(home.path, [named('gcr.io/pushed:v1', image)])
  const list = join(home.path, 'images.txt')
  await writeFile(list, `${source.host}/app:v1\n`)

  const target = argv`--cacert ${ca} --docker-config ${config} --retries 0`
  const commands = [
    argv`push --source ${bundle} --private-registry docker.io/team ${target}`,
    argv`sync --images ${list} --source-plain-http --private-registry docker.io/synced ${target}`,
    argv`copy docker://${source.host}/app:v1 docker://docker.io/copied/app:v1 --source-plain-http ${target}`,
  ]
  for (const command of commands) {
    const {code, stderr} = await runMirror(command, {home: home.path, env: {HTTPS_PROXY: proxy.url}})
    expect({command: command[0], code, stderr}).toMatchObject({code: 0})
  }
  expect(hub.tags('team/pushed')).toEqual(['v1'])
  expect(hub.tags('synced/app')).toEqual(['v1'])
  expect(hub.tags('copied/app')).toEqual(['v1'])
  expect(new Set(proxy.requests.map(({target}) => target))).toEqual(new Set([`${API}:443`]))
})
