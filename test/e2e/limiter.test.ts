import {spawn} from 'node:child_process'
import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {expect, onTestFinished, test} from 'vitest'
import {freePort, makeImage, makeTempDir, requireTool, runMirror} from '@airgap-mirror/test/kit'
import {startRegistry} from '@airgap-mirror/test/registry'
import {argv} from './argv.js'
import {named, writeOciBundle} from './push.js'
import {until} from './until.js'

test('a limiter of nginx that answers 503 is lived with: all images arrive', async (context) => {
  requireTool(context, 'nginx')
  const home = await makeTempDir()
  await using registry = await startRegistry()
  const port = await freePort()
  const conf = join(home.path, 'nginx.conf')
  await writeFile(
    conf,
    `daemon off; master_process off; pid ${home.path}/pid; error_log stderr crit;
events {}
http {
  access_log off; client_max_body_size 0; client_body_temp_path ${home.path}; proxy_temp_path ${home.path};
  fastcgi_temp_path ${home.path}; uwsgi_temp_path ${home.path}; scgi_temp_path ${home.path};
  limit_req_zone $binary_remote_addr zone=all:1m rate=10r/s;
  server {
    listen 127.0.0.1:${port};
    location / { limit_req zone=all burst=2 nodelay; proxy_pass ${registry.url}; proxy_set_header Host $http_host; }
  }
}`,
  )
  const nginx = spawn('nginx', ['-p', home.path, '-c', conf], {stdio: 'ignore'})
  onTestFinished(async () => {
    nginx.kill('SIGKILL')
    await home.remove()
  })
  await until(async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/v2/`).catch(() => undefined)
    return answer !== undefined
  })
  const images = await Promise.all(
    Array.from({length: 5}, async (_, index) =>
      named(`gcr.io/team/app${index}:v1`, await makeImage({seed: `limited ${index}`, layers: 2})),
    ),
  )
  const source = await writeOciBundle(home.path, images)
  const {code, stderr} = await runMirror(
    argv`push --source ${source} --private-registry 127.0.0.1:${String(port)}/x --plain-http`,
    {home: home.path},
  )
  expect({code}, `printed: ${stderr}`).toEqual({code: 0})
  expect(images.map((_, index) => registry.tags(`x/team/app${index}`))).toEqual(images.map(() => ['v1']))
})
