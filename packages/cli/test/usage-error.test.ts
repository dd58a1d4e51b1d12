import {expect, test} from 'vitest'
import {commands} from '#src/commands/index.js'
import {FOREIGN_FLAGS} from '#src/run/foreign-flag-table.js'
import {translateFlag} from '#src/run/foreign-flags.js'
import {usageErrorOf} from '#src/run/usage-error.js'

const {push, copy} = commands
const PUSH = {name: 'push', flags: push.flags}

/** An error as oclif throws it. */
function parserError(message: string, flags?: readonly string[]): Error {
  return Object.assign(new Error(`${message}\nSee more help with --help`), {oclif: {exit: 2}, flags})
}

test.each([
  ['The following error occurred:\n  Missing required flag source', 'missing required flag --source'],
  [
    'The following errors occurred:\n  Missing required flag private-registry\n  Missing required flag source',
    'missing required flags --private-registry and --source',
  ],
  [
    'The following error occurred:\n  --fail-fast=true cannot also be provided when using --keep-going',
    '--fail-fast does not go with --keep-going',
  ],
  [
    'The following error occurred:\n  \u001B[2mMissing required flag source\u001B[22m',
    'missing required flag --source',
  ],
  ['Flag --source expects a value', '--source lacks its value'],
  ['Expected --map-host=foo to be one of: drop, keep', '--map-host "foo" is not one of drop, keep'],
  ['Unexpected argument: bundle.tar', 'unexpected argument "bundle.tar"'],
  ['Unexpected argument: ', 'unexpected argument ""'],
  ['Unexpected arguments: a, b', 'unexpected arguments "a" and "b"'],
  ['Expected csh to be one of: bash, zsh, fish', '"csh" is not one of bash, zsh, fish'],
  [
    'Missing 2 required args:\nsource       where the image is\ndestination  where it goes',
    'missing arguments SOURCE and DESTINATION',
  ],
  [
    'Missing 1 required arg:\nsource  where the image is\n\nNote: --platform allows multiple values.\nAlternatively, you can use "--".',
    'missing argument SOURCE',
  ],
])('the text %j of the parser is told as %j', (text, message) => {
  expect(usageErrorOf(parserError(text), PUSH)).toMatchObject({
    code: 'USAGE',
    message,
    hint: 'Run "mirror push --help" to see how it is used.',
  })
})

test.each([
  ['--souce', 'Use --source.'],
  ['--dest-cert-dir', "--dest-cert-dir is skopeo's: use --cacert FILE."],
  ['--dest-cert-dir=/certs', "--dest-cert-dir is skopeo's: use --cacert FILE."],
  ['--threads', "--threads is bmctl's: use --concurrency N."],
  ['--dest-use-http', "--dest-use-http is oc-mirror's: use --plain-http."],
  ['--src-cert-dir', 'Run "mirror push --help" to see how it is used.'],
  ['--max-nested-paths=2', "--max-nested-paths is oc-mirror's: use --max-depth N."],
  ['--mtls-key', "--mtls-key is crane's: use --client-key FILE."],
  [
    '--preserve-digests',
    "--preserve-digests is skopeo's: leave it out, because digests are kept and every change is reported.",
  ],
  ['--nonsense', 'Run "mirror push --help" to see how it is used.'],
])('the unknown flag %s of a push hints: %s', (flag, hint) => {
  const error = usageErrorOf(parserError(`Nonexistent flag: ${flag}`, [flag]), PUSH)
  expect(error).toMatchObject({message: `unknown flag ${flag.replace(/=.*/, '')}`, hint})
})

test('flags of the source are translated only for commands that have a source registry', () => {
  expect(translateFlag('src-cert-dir', push.flags)).toBeUndefined()
  expect(translateFlag('src-cert-dir', copy.flags)?.words).toBe('use --source-cacert FILE')
})

test('an error that is none of the parser stays as it is', () => {
  expect(usageErrorOf(new TypeError('a bug'), PUSH)).toBeUndefined()
})

test('every translation names flags that a command has', () => {
  const known = new Set(Object.values(commands).flatMap(({flags}) => Object.keys(flags)))
  for (const {flags, words} of FOREIGN_FLAGS.values()) {
    const named = [...words.matchAll(/--([a-z-]+[a-z])/g)].map(([, flag = '']) => flag)
    expect([...flags, ...named].filter((flag) => !known.has(flag))).toEqual([])
  }
})
