import {readdirSync, readFileSync} from 'node:fs'
import {fileURLToPath} from 'node:url'

/** The root of the repository. */
export const root = fileURLToPath(new URL('../..', import.meta.url))

const decisions = readdirSync(`${root}/docs/adr`).map((file) => `docs/adr/${file}`)

/** Made while the site is built. */
export const INDEX = 'site/a-z.md'

/** The pages in the order in which a newcomer reads them. A test holds that none of the repository is missing. */
export const groups = {
  'Start here': ['README.md', 'docs/across-the-gap.md', 'docs/glossary.md'],
  'Bring images': ['docs/save-a-bundle.md', 'docs/inspect-a-bundle.md', 'docs/install-behind-the-gap.md'],
  'Push images': [
    'docs/push-a-bundle.md',
    'docs/naming.md',
    'docs/digests-and-layers.md',
    'docs/copy-one-image.md',
    'docs/credentials-and-tls.md',
    'docs/serve-bundles-to-the-first-nodes.md',
  ],
  'Keep a registry up to date': [
    'docs/nightly-sync.md',
    'docs/job-file.md',
    'docs/gitlab-or-cron.md',
    'docs/kubernetes.md',
    'docs/ci-and-scripts.md',
  ],
  'Prove that all is there': [
    'docs/verify-what-arrived.md',
    'docs/check-a-cluster-before-the-cable-is-cut.md',
    'docs/explain-what-a-node-pulls.md',
    'docs/namespaces-digests-garbage-collection.md',
  ],
  'Your platform': [
    'docs/platforms/gdc-bare-metal.md',
    'docs/platforms/gdc-vmware.md',
    'docs/platforms/k3s-and-rke2.md',
    'docs/platforms/openshift.md',
    'docs/platforms/containerd.md',
    'docs/platforms/podman-and-cri-o.md',
    'docs/platforms/docker-talos-kind-minikube.md',
    'docs/platforms/clusters-whose-nodes-are-not-yours.md',
  ],
  'If it fails': ['docs/troubleshooting.md', 'docs/what-is-wrong-with-a-registry.md'],
  'Other tools': ['docs/comparison.md', 'docs/coming-from-bmctl-and-skopeo.md', 'docs/performance.md'],
  Reference: [
    INDEX,
    'docs/flags.md',
    'docs/completion.md',
    'packages/oci-client/README.md',
    'packages/bundle/README.md',
    'CHANGELOG.md',
  ],
  'For engineers': ['docs/ARCHITECTURE.md', 'CONTRIBUTING.md', 'SECURITY.md', ...decisions],
}

/** Returns the path of a page's address, without its ending. */
export function addressOf(page) {
  if (page === 'README.md') return 'index'
  return page.replace(/^site\//, '').replace(/\.md$/, '')
}

/** Returns the first heading of a page, without its marks. */
export function titleOf(page) {
  const [, title = page] = /^# (.+)$/m.exec(readFileSync(`${root}/${page}`, 'utf8')) ?? []
  return title.replaceAll('`', '')
}
