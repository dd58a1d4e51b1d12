import {formatReference} from '@airgap-mirror/oci-client/model'
import {expect, it} from 'vitest'
import {parseImageList, parseImageLists} from '#src/names/image-list.js'

const digest = `sha256:${'1'.repeat(64)}`
function shown(text: string): readonly string[] {
  return parseImageList(text, 'list').map(({source, target}) =>
    [formatReference(source), ...(target === undefined ? [] : [target])].join(' -> '),
  )
}

it('reads the lists of releases: host implied, charts, digests, remarks at the end, CRLF', () => {
  const text = [
    'rancher/rancher:v2.12.1',
    'busybox:1.36',
    'docker.io/rancher/mirrored-pause:3.6',
    'rancher/charts/fleet:107.0.1_up0.13.1',
    'rancher/charts/rancher-monitoring:107.1.0+up69.8.2-rancher.15',
    `registry.k8s.io/pause@${digest}`,
    `gcr.io/team/app:v1@${digest}\tmirrored/app:v1   # why`,
    '',
    '# the end',
  ].join('\r\n')
  expect(shown(text)).toEqual([
    'docker.io/rancher/rancher:v2.12.1',
    'docker.io/library/busybox:1.36',
    'docker.io/rancher/mirrored-pause:3.6',
    'docker.io/rancher/charts/fleet:107.0.1_up0.13.1',
    'docker.io/rancher/charts/rancher-monitoring:107.1.0_up69.8.2-rancher.15',
    `registry.k8s.io/pause@${digest}`,
    `gcr.io/team/app:v1@${digest} -> mirrored/app:v1`,
  ])
})

it('does not take what needs an image for its target: rancher-images-sources.txt and rancher-images-origins.txt', () => {
  expect(
    shown(
      'rancher/aks-operator:v1.12.1 rancher-aks-operator:107.0.1+up1.12.1\nrancher/pause:3.6 core,k3sUpgrade\nbusybox:1 core\n',
    ),
  ).toEqual([
    'docker.io/rancher/aks-operator:v1.12.1',
    'docker.io/rancher/pause:3.6',
    'docker.io/library/busybox:1',
  ])
  expect(shown('rancher/fleet:v1 https://git.example/rancher/fleet\nrancher/x:v1 unknown\n')).toEqual([
    'docker.io/rancher/fleet:v1',
    'docker.io/rancher/x:v1',
  ])
})

it('refuses a comma in a target rather than drop the targets of a real mapping', () => {
  expect(() => shown('gcr.io/a/b:v1 team/b:v1\ngcr.io/a/c:v1 c,d\n')).toThrow(
    /line 2: the target in its second column/,
  )
  expect(() => shown('gcr.io/a/b:v1 team/B\n')).toThrow(/line 1: the target/)
})

it('reads many lists as one, each image once, and names the bad lines of all of them', () => {
  const images = parseImageLists([
    {name: 'one', text: 'busybox:1\ngcr.io/a/b:v1\n'},
    {name: 'two', text: 'docker.io/library/busybox:1\nbusybox:1 other/busybox\n'},
  ])
  expect(images.map(({source, target}) => [formatReference(source), target])).toEqual([
    ['docker.io/library/busybox:1', undefined],
    ['gcr.io/a/b:v1', undefined],
    ['docker.io/library/busybox:1', 'other/busybox'],
  ])
  const bad = (): unknown =>
    parseImageLists([
      {name: 'one', text: 'a b c\n'},
      {name: 'two', text: 'fine:v1\n'},
      {name: 'three', text: 'x@sha256:1\nok\nA/b:c:d\n'},
    ])
  expect(bad).toThrow(/one: 1 bad line; line 1: .*; three: 2 bad lines; line 1: .*; line 3: /)
})
