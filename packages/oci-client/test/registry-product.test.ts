import {describe, expect, test} from 'vitest'
import {productOf} from '#src/registry/product.js'

describe('the product of a registry', () => {
  test.each([
    ['Harbor', {}, 'Bearer realm="https://h/service/token",service="harbor-registry"'],
    ['GitLab', {}, 'Bearer realm="https://gitlab.example/jwt/auth",service="container_registry"'],
    ['Gitea or Forgejo', {}, 'Bearer realm="https://h/v2/token",service="container_registry",scope="*"'],
    ['Quay', {}, 'Bearer realm="https://quay.example/v2/auth",service="quay.example"'],
    ['Nexus', {}, 'BASIC realm="Sonatype Nexus Repository Manager"'],
    ['Artifactory', {}, 'Basic realm="Artifactory Realm"'],
    [
      'Artifactory',
      {'x-jfrog-version': 'Artifactory/7.77.5'},
      'Bearer realm="https://h/v2/token",service="h"',
    ],
    [
      'Amazon ECR',
      {},
      'Basic realm="https://1.dkr.ecr.eu-west-1.amazonaws.com/",service="ecr.amazonaws.com"',
    ],
    [
      'Azure Container Registry',
      {},
      'Bearer realm="https://x.azurecr.io/oauth2/token",service="x.azurecr.io"',
    ],
    [
      'Google Artifact Registry',
      {},
      'Bearer realm="https://eu-docker.pkg.dev/v2/token",service="eu-docker.pkg.dev"',
    ],
    [
      'GitHub',
      {},
      'Bearer realm="https://ghcr.io/token",service="ghcr.io",scope="repository:user/image:pull"',
    ],
    ['Docker Hub', {}, 'Bearer realm="https://auth.docker.io/token",service="registry.docker.io"'],
    ['OpenShift', {'x-registry-supports-signatures': '1'}, ''],
    [undefined, {server: 'nginx'}, 'Basic realm="harbor-registry in disguise"'],
    [undefined, {}, ''],
  ])(
    'is %s by the headers %j and the challenge %s',
    (product, headers: Record<string, string>, challenge) => {
      expect(productOf({header: (name) => headers[name], challenges: [challenge]})).toBe(product)
    },
  )
})
