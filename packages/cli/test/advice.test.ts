import {MirrorError, type Advice, type Side} from '@airgap-mirror/oci-client/model'
import {readdirSync, readFileSync} from 'node:fs'
import {join, relative} from 'node:path'
import {fileURLToPath} from 'node:url'
import {describe, expect, test} from 'vitest'
import {commands} from '#src/commands/index.js'
import {sourceRegistryFlags, targetRegistryFlags} from '#src/settings/registry-flags.js'
import {advise} from '#src/text/advice/advise.js'

/** An advice of each kind: the compiler asks for those that are missing. */
const examples: {readonly [Kind in Advice['kind']]: Omit<Extract<Advice, {readonly kind: Kind}>, 'kind'>} = {
  'check-registry-running': {},
  'check-registry-address': {},
  'check-network-path': {},
  'check-host-name': {},
  'check-reference': {},
  'read-registry-log': {},
  'see-exchanges': {},
  'try-later': {},
  'push-again': {},
  'follow-links': {},
  'slow-down': {},
  'free-registry-disk': {},
  'raise-quota': {},
  'share-upload-storage': {},
  'correct-forwarded-host': {},
  'create-repository': {},
  'shorten-repository': {},
  'use-another-tag': {},
  'allow-writes': {},
  'check-tag-policy': {},
  'raise-body-limit': {},
  'push-whole-index': {},
  'convert-manifest': {},
  'use-sha256': {},
  'allow-foreign-layers': {},
  'free-referrers-tag': {},
  'switch-on-deletion': {},
  'delete-by-registry': {},
  'check-tag-list': {},
  'find-changing-proxy': {},
  'switch-off-compression': {},
  'complete-at-registry': {},
  'replace-damaged-blob': {},
  'log-in': {},
  'check-credential': {},
  'use-password': {},
  'check-rights': {},
  'check-deletion-right': {},
  'correct-credential-file': {},
  'trust-authority': {},
  'trust-shown-authority': {authority: 'CN=Example Root'},
  'trust-authority-if-right': {},
  'use-certificate-name': {},
  'check-clock': {},
  'use-plain-http': {},
  'use-https': {},
  'give-client-certificate': {},
  'check-client-certificate': {},
  'switch-on-tls': {},
  'use-pem': {},
  'convert-der': {},
  'convert-pkcs12': {},
  'reissue-certificate': {},
  'check-handshake': {},
  'use-plain-key': {},
  'correct-proxy-url': {},
  'check-proxy': {},
  'check-proxy-scheme': {},
  'add-proxy-login': {},
  'check-proxy-login': {},
  'check-path': {},
  'copy-again': {},
  'copy-again-whole': {},
  'make-again': {},
  'complete-archive': {},
  'wait-until-written': {},
  'check-copied-whole': {},
  'join-parts': {},
  'give-archive': {},
  'give-images': {},
  'save-with-current-docker': {},
  'save-with-current-tool': {},
  'store-artifact-again': {},
  'open-inner-archives': {},
  'save-with-other-options': {},
  'unpack-if-trusted': {},
  'refuse-if-unknown': {},
  'use-larger-zstd-frames': {},
  'archive-without-sparse-files': {},
  'give-as-file': {},
  'allow-scratch': {},
  'use-another-scratch': {},
  'choose-one-platform': {},
  'use-oci-archive': {},
  'use-oci-archive-if-trusted': {},
  'free-disk': {},
  'use-writable-place': {},
  'use-new-file': {},
  'use-new-archive': {},
  'use-empty-directory': {},
  'write-zstd': {},
  'use-another-directory': {},
  'run-again': {},
  'collect-volumes': {},
  'copy-volumes-again': {},
  'use-writing-version': {},
  'use-signature-key': {},
  'refuse-unsigned': {},
  'check-behind-proxy': {target: 'registry.example:5000'},
  'allow-at-proxy': {target: 'registry.example:5000'},
  'use-https-realm': {},
  'separate-names': {},
  'tag-image': {},
  'choose-platform': {},
  'choose-other-platform': {},
  'allow-sparse-index': {},
  'push-in-parts': {},
  'give-login-apart': {},
  'leave-out-scheme': {},
  'give-targets': {},
  'name-import-format': {},
  'force-tag': {},
  'allow-pruning': {},
  'free-state': {},
  'use-another-state': {},
  'wait-for-lock': {},
  'raise-timeout': {},
  'choose-digest': {digest: 'sha256:0000'},
  'choose-platform-of-name': {},
  'name-image': {image: 'sha256:0000'},
  'check-choice': {flag: 'include'},
  'check-is-registry': {host: 'registry.example', path: '/artifactory'},
  'check-token-server': {host: 'auth.example'},
  'login-not-redirected': {host: 'other.example'},
  'run-helper': {program: 'docker-credential-pass', server: 'registry.example'},
  'install-helper': {program: 'docker-credential-pass'},
  'list-helper': {program: 'docker-credential-pass'},
  decompress: {compression: 'zstd-long-window'},
}
const advices = Object.entries(examples).map(([kind, details]) => Object.assign({kind}, details) as Advice)

const sides: readonly (Side | undefined)[] = ['source', 'target', undefined]
const callers = Object.entries(commands).map(([id, {flags}]) => ({
  name: id.replaceAll(':', ' '),
  flags: flags as Readonly<Record<string, unknown>>,
}))
const settings = [undefined, ...callers].flatMap((command) => sides.map((side) => ({command, side})))

/** Flags that say how to reach the registries of one side. */
const sidedNames = new Set(
  Object.keys(sourceRegistryFlags)
    .map((name) => name.replace(/^source-/, ''))
    .filter((name) => Object.hasOwn(targetRegistryFlags, name)),
)

function textOf(advice: Advice, {side, command}: (typeof settings)[number]): string {
  return advise({code: 'PROTOCOL', side, advice}, {command}) ?? ''
}

/** The commands of `mirror` that a hint quotes, each with its arguments. */
function quotedIn(text: string): readonly string[] {
  return [...text.matchAll(/"mirror ([^"]*)"/g)].map(([, command = '']) => command)
}

function unquoted(text: string): string {
  return text.replaceAll(/"mirror [^"]*"/g, 'it')
}

function flagsIn(text: string): readonly string[] {
  return [...text.matchAll(/(?<![\w-])--([a-z][a-z-]*)/g)].map(([, name = '']) => name)
}

function sideOf(flag: string): Side | undefined {
  if (flag.startsWith('source-') && sidedNames.has(flag.slice('source-'.length))) return 'source'
  return sidedNames.has(flag) ? 'target' : undefined
}

describe.each(
  settings.map(
    (setting) => [setting.command?.name ?? 'no command', setting.side ?? 'no side', setting] as const,
  ),
)('Advice for %s at %s', (_command, _side, setting) => {
  test('names only flags that the command has', () => {
    const unknown = advices.flatMap((advice) =>
      flagsIn(unquoted(textOf(advice, setting)))
        .filter((flag) => !Object.hasOwn(setting.command?.flags ?? {}, flag))
        .map((flag) => `${advice.kind}: --${flag}`),
    )
    expect(unknown).toEqual([])
  })

  test('quotes only commands that have the flags', () => {
    const unknown = advices.flatMap((advice) =>
      quotedIn(textOf(advice, setting)).flatMap((quoted) => {
        const verb = callers.find(({name}) => `${quoted} `.startsWith(`${name} `))
        return flagsIn(quoted)
          .filter((flag) => !Object.hasOwn(verb?.flags ?? {}, flag))
          .map((flag) => `${advice.kind}: ${quoted} ${flag}`)
      }),
    )
    expect(unknown).toEqual([])
  })

  test("names a registry's flags only of the side at which the error is", () => {
    const astray = advices.flatMap((advice) =>
      flagsIn(textOf(advice, setting))
        .filter((flag) => sideOf(flag) !== undefined && sideOf(flag) !== setting.side)
        .map((flag) => `${advice.kind}: --${flag}`),
    )
    expect(astray).toEqual([])
  })

  test('is one sentence with a capital and a full stop, and no question', () => {
    const crooked = advices
      .map((advice) => textOf(advice, setting))
      .filter((text) => !/^[A-Z][^?]*[^\s.]\.$/.test(text) || /[.!] [A-Z]/.test(text))
    expect(crooked).toEqual([])
  })
})

describe('Advice', () => {
  const copy = {command: callers.find(({name}) => name === 'copy')}
  const push = {command: callers.find(({name}) => name === 'push')}

  test("for a source that asks for a login names the source's flags", () => {
    const error = new MirrorError('AUTH_REQUIRED', 'x', {side: 'source', advice: {kind: 'log-in'}})
    expect(advise(error, copy)).toBe(
      'Give --source-username with --source-password-stdin or --source-docker-config FILE, or log in with "mirror login".',
    )
  })

  test('to decompress names standard input only if the command reads it', () => {
    const advice = {kind: 'decompress', compression: 'bzip2'} as const
    expect(advise({code: 'SOURCE_UNSUPPORTED', side: 'source', advice}, push)).toContain(
      '"bzip2 -dc FILE | mirror push --source - …"',
    )
    expect(advise({code: 'SOURCE_UNSUPPORTED', side: 'source', advice}, copy)).toBe(
      'Decompress it first with "bzip2 -dc FILE > NEW.tar".',
    )
  })

  test.each(['verify', 'config check'])('for %s, which only reads, asks for no right to write', (name) => {
    const reading = {command: callers.find((caller) => caller.name === name)}
    for (const kind of ['check-rights', 'allow-writes'] as const) {
      const text = advise({code: 'DENIED', side: 'target', advice: {kind}}, reading)
      expect(text).not.toMatch(/push|read-only/)
    }
    expect(advise({code: 'DENIED', side: 'target', advice: {kind: 'check-rights'}}, push)).toContain(
      'right to push',
    )
  })

  test("gives way to an error's own words", () => {
    const error = {code: 'X', hint: 'Do this.', advice: {kind: 'check-path'}} as const
    expect(advise(error, push)).toBe('Do this.')
  })

  test('falls back on what usually helps with the code', () => {
    expect(advise({code: 'SOURCE_UNREADABLE'}, push)).toBe('Check the path, and the right to read it.')
    expect(advise({code: 'USAGE'}, push)).toBeUndefined()
  })
})

describe('A hint in the words of its command', () => {
  const root = fileURLToPath(new URL('../src', import.meta.url))
  const hints = readdirSync(root, {recursive: true, encoding: 'utf8'})
    .filter((path) => path.endsWith('.ts'))
    .flatMap((path) =>
      [...readFileSync(join(root, path), 'utf8').matchAll(/\bhint: (['"`])((?:(?!\1).)+)\1/g)].map(
        ([, , text = '']) => ({path: relative('.', path).replaceAll('\\', '/'), text}),
      ),
    )

  test('names only flags of that command, and none if several commands share the code', () => {
    const astray = hints.flatMap(({path, text}) =>
      flagsIn(text)
        .filter((flag) => flag !== 'help' && !flagsAt(path).has(flag))
        .map((flag) => `${path}: --${flag}`),
    )
    expect(hints.length).toBeGreaterThan(20)
    expect(astray).toEqual([])
  })

  test('is one sentence with a capital and a full stop, and no question', () => {
    expect(hints.filter(({text}) => !/^[A-Z$][^?]*\.$/.test(text.replaceAll(/\$\{[^}]*\}/g, 'X')))).toEqual(
      [],
    )
  })

  /** The flags of the commands that the code of a folder belongs to. */
  function flagsAt(path: string): ReadonlySet<string> {
    const verb = path.startsWith('cluster/') ? 'config' : /^commands\/([^/]+)\//.exec(path)?.[1]
    const own = callers.filter(({name}) => name.split(' ')[0] === verb)
    return new Set(own.flatMap(({flags}) => Object.keys(flags)))
  }
})
