/** A flag of another program, and the way to say the same here. */
export interface ForeignFlag {
  readonly program: string
  /** Without dashes. The flag is translated for commands that have all of them; without any, for every command. */
  readonly flags: readonly string[]
  /** An instruction: the rest of a sentence. */
  readonly words: string
}

type Row = readonly [name: string, flags: readonly string[], words: string]

const unchecked = '--insecure-skip-tls-verify to accept any certificate, or --plain-http for HTTP'
const uncheckedSource =
  '--source-insecure-skip-tls-verify to accept any certificate, or --source-plain-http for HTTP'
const skipTls = ['insecure-skip-tls-verify', 'plain-http']
const skipSourceTls = ['source-insecure-skip-tls-verify', 'source-plain-http']

/** Flags of skopeo 1.9 to 1.20: copy, sync, and the flags before the command. podman push spells some of them alike. */
const SKOPEO: readonly Row[] = [
  ['dest-cert-dir', ['cacert'], 'use --cacert FILE'],
  ['cert-dir', ['cacert'], 'use --cacert FILE'],
  ['src-cert-dir', ['source-cacert'], 'use --source-cacert FILE'],
  ['dest-tls-verify', skipTls, `use ${unchecked}`],
  ['tls-verify', skipTls, `use ${unchecked}`],
  ['src-tls-verify', skipSourceTls, `use ${uncheckedSource}`],
  ['dest-creds', ['username', 'password-stdin'], 'use --username NAME --password-stdin'],
  ['creds', ['username', 'password-stdin'], 'use --username NAME --password-stdin'],
  ['dest-username', ['username'], 'use --username NAME'],
  ['dest-password', ['password-stdin'], 'use --password-stdin'],
  [
    'src-creds',
    ['source-username', 'source-password-stdin'],
    'use --source-username NAME --source-password-stdin',
  ],
  ['src-username', ['source-username'], 'use --source-username NAME'],
  ['src-password', ['source-password-stdin'], 'use --source-password-stdin'],
  ['dest-no-creds', ['need-credential'], 'use --need-credential=false'],
  ['dest-registry-token', ['docker-config'], 'use --docker-config FILE with a registrytoken'],
  ['src-registry-token', ['source-docker-config'], 'use --source-docker-config FILE with a registrytoken'],
  ['authfile', ['docker-config'], 'use --docker-config FILE'],
  ['dest-authfile', ['docker-config'], 'use --docker-config FILE'],
  ['src-authfile', ['source-docker-config'], 'use --source-docker-config FILE'],
  ['override-arch', ['platform'], 'use --platform OS/ARCH'],
  ['override-os', ['platform'], 'use --platform OS/ARCH'],
  ['override-variant', ['platform'], 'use --platform OS/ARCH/VARIANT'],
  ['multi-arch', ['platform'], 'use --platform OS/ARCH, or leave it out for all platforms'],
  ['all', ['platform'], 'leave it out, because all platforms are the default'],
  ['retry-times', ['retries'], 'use --retries N'],
  ['retry-delay', ['retry-max-wait'], 'use --retry-max-wait DURATION'],
  ['command-timeout', ['timeout'], 'use --timeout DURATION'],
  ['image-parallel-copies', ['concurrency'], 'use --concurrency N'],
  ['scoped', ['map-host'], 'use --map-host keep'],
  ['digestfile', ['report'], 'use --report FILE, which has the digests'],
  ['registries-conf', ['source-mirrors'], 'use --source-mirrors FILE'],
  ['tmpdir', ['scratch'], 'use --scratch DIR'],
  ['debug', ['verbose'], 'use --verbose'],
  ['remove-signatures', ['no-referrers'], 'use --no-referrers'],
  ['preserve-digests', [], 'leave it out, because digests are kept and every change is reported'],
  ['dest-precompute-digests', [], 'leave it out, because content that is there is never sent'],
  ['dest-compress', ['layer-compression'], 'leave it out, or choose by --layer-compression'],
  ['dest-compress-format', ['layer-compression'], 'use --layer-compression gzip|zstd|none'],
  ['compression-format', ['layer-compression'], 'use --layer-compression gzip|zstd|none'],
  ['dest-decompress', ['layer-compression'], 'use --layer-compression none'],
  ['src', ['images', 'config'], 'use --images LIST or --config FILE (mirror config import reads the YAML)'],
  ['dest', ['images', 'private-registry'], 'use --private-registry HOST[:PORT][/NAMESPACE]'],
  ['insecure-policy', [], 'leave it out, because policy.json is not read'],
]

/** Flags of bmctl push images and gkectl; most of bmctl's are spelt the same here. */
const BMCTL: readonly Row[] = [
  ['threads', ['concurrency'], 'use --concurrency N'],
  ['skip-tls-verify', skipTls, `use ${unchecked}`],
]

/** Flags of crane, of all its commands. */
const CRANE: readonly Row[] = [
  ['insecure', skipTls, `use ${unchecked}`],
  ['jobs', ['concurrency'], 'use --concurrency N'],
  ['mtls-certificate', ['client-cert'], 'use --client-cert FILE'],
  ['mtls-key', ['client-key'], 'use --client-key FILE'],
  ['all-tags', ['config'], 'use a job file with repositories'],
  [
    'allow-nondistributable-artifacts',
    [],
    'leave it out, because foreign layers are copied if the source has them',
  ],
  ['image-refs', ['report'], 'use --report FILE, which has the digests'],
]

/** Flags of oc-mirror, versions 1 and 2. */
const OC_MIRROR: readonly Row[] = [
  ['dest-skip-tls', skipTls, `use ${unchecked}`],
  ['dest-use-http', ['plain-http'], 'use --plain-http'],
  ['source-skip-tls', skipSourceTls, `use ${uncheckedSource}`],
  ['source-use-http', ['source-plain-http'], 'use --source-plain-http'],
  ['continue-on-error', ['keep-going'], 'leave it out, because --keep-going is the default'],
  ['parallel-layers', ['concurrency'], 'use --concurrency N'],
  ['parallel-images', ['concurrency'], 'use --concurrency N'],
  ['max-per-registry', ['concurrency'], 'use --concurrency N'],
  ['max-nested-paths', ['max-depth'], 'use --max-depth N'],
  ['image-timeout', ['timeout'], 'use --timeout DURATION for the whole run'],
  ['from', ['source', 'private-registry'], 'use --source BUNDLE'],
  ['workspace', ['state'], 'use --state DIR'],
  ['cache-dir', ['state'], 'use --state DIR'],
  ['dir', ['state'], 'use --state DIR'],
  ['log-level', ['verbose'], 'use --verbose'],
]

/** By the name without dashes. If two programs have a flag, the first one is named. */
export const FOREIGN_FLAGS: ReadonlyMap<string, ForeignFlag> = new Map(
  (
    [
      ['oc-mirror', OC_MIRROR],
      ['crane', CRANE],
      ['bmctl', BMCTL],
      ['skopeo', SKOPEO],
    ] as const
  ).flatMap(([program, rows]) =>
    rows.map(([name, flags, words]): readonly [string, ForeignFlag] => [name, {program, flags, words}]),
  ),
)
