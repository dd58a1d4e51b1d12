import {spawn} from 'node:child_process'
import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {expect, onTestFinished, test} from 'vitest'
import {
  freePort,
  makeAuthority,
  makeImage,
  makeTempDir,
  requireTool,
  runMirror,
  startDebianRegistry,
} from '@airgap-mirror/test/kit'
import {argv} from './argv.js'
import {named, writeOciBundle} from './push.js'
import {until} from './until.js'

test('a docker-registry behind nginx as people set it up is pushed to, or the header that nginx lacks is named', async (context) => {
  requireTool(context, 'nginx', 'docker-registry')
  const home = await makeTempDir()
  onTestFinished(() => home.remove())
  await using registry = await startDebianRegistry()
  const authority = await makeAuthority()
  const {cert, key} = await authority.issue({hosts: ['127.0.0.1']})
  const at = (name: string): string => join(home.path, name)
  for (const [name, text] of Object.entries({'ca.pem': authority.ca, 'cert.pem': cert, 'key.pem': key}))
    await writeFile(at(name), text)
  const ports = {forgetful: await freePort(), hostless: await freePort(), small: await freePort()}
  const server = (port: number, own: string): string =>
    `server { listen 127.0.0.1:${port} ssl; location / { proxy_pass ${registry.url}; ${own} } }`
  await writeFile(
    at('nginx.conf'),
    `daemon off; master_process off; pid ${at('pid')}; error_log stderr crit;
events {}
http {
  access_log off; client_body_temp_path ${at('1')}; proxy_temp_path ${at('2')}; fastcgi_temp_path ${at('3')};
  uwsgi_temp_path ${at('4')}; scgi_temp_path ${at('5')}; ssl_certificate ${at('cert.pem')}; ssl_certificate_key ${at('key.pem')};
  ${server(ports.forgetful, 'client_max_body_size 0; proxy_set_header Host $http_host;')}
  ${server(ports.hostless, 'client_max_body_size 0; proxy_redirect off;')}
  ${server(ports.small, 'proxy_set_header Host $http_host; proxy_set_header X-Forwarded-Proto https;')}
}`,
  )
  const nginx = spawn('nginx', ['-p', home.path, '-c', at('nginx.conf')], {stdio: 'ignore'})
  onTestFinished(() => void nginx.kill('SIGKILL'))
  // Over the 1 MiB that nginx takes unless it is told otherwise.
  const image = await makeImage({seed: 'nginx', layers: 1, layerSize: 3 * 1024 * 1024, content: 'random'})
  const source = await writeOciBundle(home.path, [named('gcr.io/team/app:v1', image)])
  const push = (port: number, namespace: string) =>
    runMirror(
      argv`push --source ${source} --private-registry 127.0.0.1:${String(port)}/${namespace} --cacert ${at('ca.pem')} --retries 1`,
      {home: home.path},
    )
  await until(async () => (await push(ports.forgetful, 'first')).code === 0)

  const small = await push(ports.small, 'small')
  expect({code: small.code, stderr: small.stderr}).toMatchObject({code: 0})

  const hostless = await push(ports.hostless, 'hostless')
  expect(hostless.code).toBe(1)
  expect(hostless.stderr).toContain(
    `127.0.0.1:${ports.hostless} names https://${registry.host} for the upload: `,
  )
  expect(hostless.stderr).toMatch(/^hint: .*X-Forwarded-Host and X-Forwarded-Proto.*relativeurls/m)
  expect(hostless.stderr).not.toContain('--plain-http')
})
