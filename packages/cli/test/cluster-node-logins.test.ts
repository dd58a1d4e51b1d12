import {mkdir, writeFile} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {makeTempDir} from '@airgap-mirror/test/kit'
import {explain, parseRuntime} from '#src/cluster/explain/explain.js'
import {readNodeFiles} from '#src/cluster/files/read-node-files.js'
import {explained, type Contents} from './cluster-kit.js'
import {CONF, MIRRORED, tried, warned} from './registries-conf-kit.js'

describe('certificates and logins', () => {
  it('need "insecure" at the mirror itself; an entry for its host does not help (p11)', () => {
    const conf = `${MIRRORED}[[registry]]\nlocation = "mirror.example.net:5443"\ninsecure = true\n`
    expect(tried('gcr.io/p/app:1', conf)[0]).toBe('https://mirror.example.net:5443/v2/gcr/p/app/manifests/1')
    expect(warned('gcr.io/p/app:1', conf)[0]).toMatch(
      /insecure of \[mirror\.example\.net:5443\] does not apply/,
    )
  })

  it('expects plain HTTP after HTTPS from an insecure mirror on a port that is not one of HTTPS (p12)', () => {
    const conf = `${MIRRORED}insecure = true\n`.replaceAll('5443', '5000')
    expect(tried('gcr.io/p/app:1', conf).slice(0, 2)).toEqual([
      'https://mirror.example.net:5000/v2/gcr/p/app/manifests/1 unverified tls-error',
      'http://mirror.example.net:5000/v2/gcr/p/app/manifests/1 unverified',
    ])
  })

  it('come from the first directory that is there for host and port, and are not merged (p28)', () => {
    const at = (root: string, host: string): string => `${root}/certs.d/${host}/ca.crt`
    const user = at('/root/.config/containers', 'mirror.example.net:5443')
    const system = at('/etc/containers', 'mirror.example.net:5443')
    const docker = at('/etc/docker', 'mirror.example.net:5443')
    const first = (files: Contents): string | undefined =>
      tried('gcr.io/p/app:1', {[CONF]: MIRRORED, ...files})[0]
    const url = 'https://mirror.example.net:5443/v2/gcr/p/app/manifests/1'
    expect(first({[user]: '', [system]: '', [docker]: ''})).toBe(`${url} ca=${user}`)
    expect(first({[system]: '', [docker]: ''})).toBe(`${url} ca=${system}`)
    expect(first({[docker]: ''})).toBe(`${url} ca=${docker}`)
    expect(first({[system.replace('ca.crt', 'client.cert')]: '', [docker]: ''})).toBe(
      'https://gcr.io/v2/p/app/manifests/1 public',
    )
    expect(first({[at('/etc/containers', 'mirror.example.net')]: ''})).toBe(url)
  })

  it('are looked up by the rewritten name, the longest key first (p27)', () => {
    const login = (user: string): object => ({auth: Buffer.from(`${user}:secret`).toString('base64')})
    const auths = {
      'mirror.example.net:5443/gcr': login('namespace'),
      'mirror.example.net:5443': login('host'),
      'gcr.io/p': login('source'),
    }
    const explanation = explained('gcr.io/p/app:1', 'podman', {
      [CONF]: MIRRORED,
      '/run/containers/0/auth.json': JSON.stringify({auths}),
    })
    expect(explanation.tries.map(({auth, authSource}) => `${auth} ${authSource}`)).toEqual([
      'basic /run/containers/0/auth.json [mirror.example.net:5443/gcr]',
      'basic /run/containers/0/auth.json [gcr.io/p]',
    ])
    expect(JSON.stringify(explanation)).not.toContain(login('host'))
  })

  it('of the kubelet are sent by CRI-O to the registry itself and never to a mirror', () => {
    const auths = {'gcr.io': {auth: 'YTpi'}, 'mirror.example.net:5443': {auth: 'YTpi'}}
    const files = {[CONF]: MIRRORED, '/var/lib/kubelet/config.json': JSON.stringify({auths})}
    const sent = (more: Contents): readonly string[] =>
      explained('gcr.io/p/app:1', 'crio', {...files, ...more}).tries.map(({auth}) => auth)
    expect(sent({})).toEqual(['none', 'basic'])
    const crio = '[crio.image]\nglobal_auth_file = "/var/lib/kubelet/config.json"\n'
    expect(sent({'/etc/crio/crio.conf.d/10-auth.conf': crio})).toEqual(['basic', 'basic'])
  })
})

describe('policy.json', () => {
  const policy = (scopes: Readonly<Record<string, string>>, fallback = 'reject'): Contents => ({
    [CONF]: MIRRORED,
    '/etc/containers/policy.json': JSON.stringify({
      default: [{type: fallback}],
      transports: {
        docker: Object.fromEntries(Object.entries(scopes).map(([scope, type]) => [scope, [{type}]])),
      },
    }),
  })

  it('is asked about the name in the pod: one that lists only the mirror refuses (p29 p30)', () => {
    const refused = policy({'mirror.example.net:5443': 'insecureAcceptAnything'})
    expect(tried('gcr.io/p/app:1', refused).at(-1)).toBe(
      'refused-by-policy: Running image docker://gcr.io/p/app:1 is rejected by policy.',
    )
    expect(warned('gcr.io/p/app:1', refused)[0]).toMatch(/mirror\.example\.net:5443 is listed, but/)
    expect(tried('gcr.io/p/app:1', policy({'gcr.io': 'insecureAcceptAnything'}))).toHaveLength(2)
  })

  it.each([
    ['gcr.io/p/app:1', 'gcr.io/p/app:1'],
    ['gcr.io/p/app', 'gcr.io/p/app:1'],
    ['gcr.io/p', 'gcr.io/p/app:1'],
    ['*.io', 'gcr.io/p/app:1'],
    ['', 'gcr.io/p/app:1'],
    ['docker.io/library', 'busybox'],
  ])('applies its scope %j to %s', (scope, name) => {
    expect(tried(name, policy({[scope]: 'reject'}, 'insecureAcceptAnything'), 'skopeo').at(-1)).toMatch(
      /^refused/,
    )
  })

  it('says that a signature is needed', () => {
    expect(warned('gcr.io/p/app:1', policy({'gcr.io': 'sigstoreSigned'}))[0]).toMatch(/demands a signature/)
  })
})

describe('login files in a directory', () => {
  it('are found where podman and the kubelet keep them, and nothing else of a running system is read', async () => {
    await using directory = await makeTempDir()
    const auths = JSON.stringify({auths: {'gcr.io': {auth: 'YTpi'}}})
    const files = {
      '/home/ann/.config/containers/registries.conf': '',
      '/run/user/1000/containers/auth.json': auths,
      '/run/user/1000/other/file': '',
      '/var/lib/kubelet/config.json': auths,
      '/var/lib/kubelet/pods/x': '',
    }
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(directory.path, path)), {recursive: true})
      await writeFile(join(directory.path, path), text)
    }
    const read = readNodeFiles(directory.path)
    expect(read.paths).toEqual([
      '/home/ann/.config/containers/registries.conf',
      '/run/user/1000/containers/auth.json',
      '/var/lib/kubelet/config.json',
    ])
    const source = (as: string): string | undefined =>
      explain('gcr.io/a/b:1', {files: read, as: parseRuntime(as)}).tries[0]?.authSource
    expect(source('podman')).toBe('/run/user/1000/containers/auth.json [gcr.io]')
    expect(source('crio')).toBe('/var/lib/kubelet/config.json [gcr.io]')
  })
})
