import {decoders} from '@airgap-mirror/bundle/internal'
import {openExaminer} from '@airgap-mirror/oci-client/internal'
import {parseRegistryTarget} from '../../names/registry-target.js'
import type {ExitCode} from '../../report/exit-code.js'
import {connectionTo} from '../../run/connection.js'
import {runAsking} from '../../run/run-asking.js'
import type {Run} from '../../run/run.js'
import {writeStandardOutput} from '../../run/standard-streams.js'
import {flagReader, type FlagValues} from '../../settings/flag-values.js'
import {readRegistryFlags} from '../../settings/registry-settings.js'
import {variableOf, variableText} from '../../settings/variables.js'
import {parseSize} from '../../text/parse-quantity.js'
import {jsonText, printable} from '../../text/printable.js'
import {doctorFlags} from './doctor-flags.js'
import {formatFindings, type Finding} from './finding.js'
import {checkNetwork} from './network-checks.js'
import {checkRegistry} from './registry-checks.js'

const command = {name: 'doctor', flags: doctorFlags}

/**
 * Looks at the way to a registry and at the registry, and writes the findings to standard output.
 * @returns 1 if a push cannot work
 * @throws {MirrorError} USAGE, CERTIFICATE_INVALID, CREDENTIALS_INVALID
 */
export async function runDoctor(flags: FlagValues): Promise<ExitCode> {
  const {text, on} = flagReader(flags)
  const target = text('private-registry') ?? ''
  const {registry, namespace} = parseRegistryTarget(target)
  const findings = await runAsking((run) => examine(flags, {registry, namespace, run}))
  const shown = findings.map((finding) => ({...finding, text: printable(finding.text)}))
  const json = {$schema: 'urn:mirror:doctor:v1', schema: 'mirror.doctor/v1', registry: target, findings}
  await writeStandardOutput(on('json') ? `${jsonText(json, 2)}\n` : formatFindings(shown))
  return findings.some(({status}) => status === 'problem') ? 1 : 0
}

interface Patient {
  readonly registry: string
  readonly namespace: string
  readonly run: Run
}

async function examine(flags: FlagValues, {registry, namespace, run}: Patient): Promise<readonly Finding[]> {
  const settings = await readRegistryFlags(flags, 'target')
  const options = await connectionTo(registry, {
    settings,
    side: 'target',
    origin: userOrigin(settings.username),
    run,
  })
  const examiner = run.keep(openExaminer(options))
  const signal = run.stop.soon
  const {origin, proxy, passedProxy} = examiner
  const findings: Finding[] = [await decoderFinding()]
  if (passedProxy !== undefined) {
    const why = 'it is a loopback address, or NO_PROXY names it'
    const text = `${origin} is reached directly, past the proxy ${passedProxy}: ${why}`
    findings.push({check: 'proxy', status: 'ok', text})
  }
  if (proxy === undefined) {
    const ways = await checkNetwork(origin, {signal, identity: options.tls})
    findings.push(...ways.findings)
    if (ways.isEnd) return findings
  } else {
    findings.push({check: 'proxy', status: 'ok', text: `${origin} is reached through ${proxy}`})
  }
  const {on, parsed} = flagReader(flags)
  const trials = {tryBody: parsed('try-body', parseSize), tryWrites: on('try-writes')}
  return [...findings, ...(await checkRegistry(examiner, {namespace, command, signal, ...trials}))]
}

/** The libraries that read and write bundles on this machine. */
async function decoderFinding(): Promise<Finding> {
  const {xz, zstd} = await decoders()
  const slow = xz === 'portable'
  return {
    check: 'this machine',
    status: slow ? 'note' : 'ok',
    text: `Node.js ${process.versions.node} for ${process.arch}; xz is read by ${xz}, zstd by ${zstd}`,
    hint: slow ? 'Use .tar.zst or .tar here: this decoder of xz is slow.' : undefined,
  }
}

/** The flag or the variable that names the user. */
function userOrigin(username: string | undefined): string {
  return username !== undefined && variableText('username') === username
    ? variableOf('username')
    : '--username'
}
