/** A flag of another program, and the flags here that do the same. */
interface ForeignFlag {
  readonly program: string
  /** Without dashes. The flag is translated for commands that have all of them. */
  readonly flags: readonly string[]
  readonly words: string
}

const tls = 'for a certificate that is not checked, --plain-http for HTTP'

/** By the name without dashes. Flags that are spelt the same here are not among them. */
const FOREIGN: Readonly<Record<string, ForeignFlag>> = {
  'dest-cert-dir': {program: 'skopeo', flags: ['cacert'], words: '--cacert FILE'},
  'cert-dir': {program: 'skopeo', flags: ['cacert'], words: '--cacert FILE'},
  'src-cert-dir': {program: 'skopeo', flags: ['source-cacert'], words: '--source-cacert FILE'},
  'dest-tls-verify': {
    program: 'skopeo',
    flags: ['insecure-skip-tls-verify', 'plain-http'],
    words: `--insecure-skip-tls-verify ${tls}`,
  },
  'src-tls-verify': {
    program: 'skopeo',
    flags: ['source-insecure-skip-tls-verify', 'source-plain-http'],
    words: `--source-insecure-skip-tls-verify ${tls.replace('--plain', '--source-plain')}`,
  },
  'tls-verify': {
    program: 'skopeo',
    flags: ['insecure-skip-tls-verify', 'plain-http'],
    words: `--insecure-skip-tls-verify ${tls}`,
  },
  'dest-creds': {
    program: 'skopeo',
    flags: ['username', 'password-stdin'],
    words: '--username NAME --password-stdin',
  },
  'dest-username': {program: 'skopeo', flags: ['username'], words: '--username NAME'},
  'dest-password': {program: 'skopeo', flags: ['password-stdin'], words: '--password-stdin'},
  'src-creds': {
    program: 'skopeo',
    flags: ['source-username', 'source-password-stdin'],
    words: '--source-username NAME --source-password-stdin',
  },
  'src-username': {program: 'skopeo', flags: ['source-username'], words: '--source-username NAME'},
  'src-password': {program: 'skopeo', flags: ['source-password-stdin'], words: '--source-password-stdin'},
  authfile: {program: 'skopeo', flags: ['docker-config'], words: '--docker-config FILE'},
  'dest-authfile': {program: 'skopeo', flags: ['docker-config'], words: '--docker-config FILE'},
  'src-authfile': {program: 'skopeo', flags: ['source-docker-config'], words: '--source-docker-config FILE'},
  'override-arch': {program: 'skopeo', flags: ['platform'], words: '--platform OS/ARCH'},
  'override-os': {program: 'skopeo', flags: ['platform'], words: '--platform OS/ARCH'},
  'multi-arch': {
    program: 'skopeo',
    flags: ['platform'],
    words: '--platform OS/ARCH; all platforms without it',
  },
  'retry-times': {program: 'skopeo', flags: ['retries'], words: '--retries N'},
  scoped: {program: 'skopeo', flags: ['map-host'], words: '--map-host keep'},
  digestfile: {program: 'skopeo', flags: ['report'], words: '--report FILE, which has the digests'},
  insecure: {
    program: 'crane',
    flags: ['insecure-skip-tls-verify', 'plain-http'],
    words: `--insecure-skip-tls-verify ${tls}`,
  },
  jobs: {program: 'crane', flags: ['concurrency'], words: '--concurrency N'},
  threads: {program: 'bmctl', flags: ['concurrency'], words: '--concurrency N'},
  'dest-skip-tls': {
    program: 'oc-mirror',
    flags: ['insecure-skip-tls-verify'],
    words: '--insecure-skip-tls-verify',
  },
  'dest-use-http': {program: 'oc-mirror', flags: ['plain-http'], words: '--plain-http'},
  'source-skip-tls': {
    program: 'oc-mirror',
    flags: ['source-insecure-skip-tls-verify'],
    words: '--source-insecure-skip-tls-verify',
  },
  'source-use-http': {program: 'oc-mirror', flags: ['source-plain-http'], words: '--source-plain-http'},
  'continue-on-error': {
    program: 'oc-mirror',
    flags: ['keep-going'],
    words: '--keep-going, which is the default',
  },
  'parallel-layers': {program: 'oc-mirror', flags: ['concurrency'], words: '--concurrency N'},
  'parallel-images': {program: 'oc-mirror', flags: ['concurrency'], words: '--concurrency N'},
}

/** Returns this program's name for a flag of another program, if the command has that flag. */
export function translateFlag(
  flag: string,
  known: Readonly<Record<string, unknown>>,
): {readonly program: string; readonly words: string} | undefined {
  const foreign = Object.hasOwn(FOREIGN, flag) ? FOREIGN[flag] : undefined
  return foreign?.flags.every((name) => Object.hasOwn(known, name)) === true ? foreign : undefined
}
