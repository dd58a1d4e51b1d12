import type {Ability, BasePage, Examiner} from '@airgap-mirror/oci-client/internal'
import {isMirrorError, type MirrorError} from '@airgap-mirror/oci-client/model'
import {reportErrorOf} from '../../report/report-error.js'
import {wordedError} from '../../run/word-advice.js'
import type {AdvisedCommand} from '../../text/advice/words.js'
import {formatDuration} from '../../text/format-quantity.js'
import {checkBody} from './body-check.js'
import type {Finding} from './finding.js'
import {checkWrites} from './write-checks.js'

export interface RegistryCheckOptions {
  readonly namespace: string
  readonly command: AdvisedCommand
  readonly signal: AbortSignal
  /** The largest request to try, in bytes; absent: a small one. */
  readonly tryBody?: number
  /** Writes, and deletes again, what nothing else shows. */
  readonly tryWrites?: boolean
  /** The clock to hold the registry's against. */
  readonly now?: Date
}

/** A clock that differs more makes tokens and certificates invalid. */
const MOST_SKEW = 60_000
/** Deeper than any name that bundles are known to have. */
const DEEP = 'a/b/c/d/e/f'

/** Asks the registry itself, in the order in which a push would. Stops at the first answer that prevents all others. */
export async function checkRegistry(
  examiner: Examiner,
  {namespace, command, signal, tryBody, tryWrites = false, now = new Date()}: RegistryCheckOptions,
): Promise<readonly Finding[]> {
  const failed = (check: string, error: unknown): Finding => {
    if (!isMirrorError(error) || error.code === 'CANCELLED') throw error
    return problemOf(check, error, command)
  }
  const findings: Finding[] = []
  try {
    const page = await examiner.base({signal})
    const {date, login} = page
    findings.push(baseFinding(`${examiner.origin}/v2/`, page))
    findings.push({check: 'login', status: 'ok', text: login ?? 'none was found, and none was asked for'})
    if (date !== undefined) findings.push(clockFinding(date, now))
  } catch (error) {
    return [...findings, failed('registry', error)]
  }
  const repository = [namespace, 'mirror-doctor'].filter((part) => part !== '').join('/')
  try {
    const {refusal, chunks} = await examiner.push(repository, {signal})
    if (refusal !== undefined) return [...findings, problemOf('push', refusal, command)]
    findings.push({check: 'push', status: 'ok', text: `an upload to ${repository} was opened, and cancelled`})
    findings.push(
      abilityFinding('chunks', chunks, {
        yes: 'a blob may come in several PATCH requests',
        no: 'a blob has to come in one request: a proxy that limits the size of requests limits blobs',
        unknown: 'the registry did not answer a PATCH request',
      }),
    )
    findings.push(await checkBody((size) => examiner.body(repository, size, {signal}), tryBody))
    const deepest = `${repository}/${DEEP}`
    const deep = await examiner.push(deepest, {signal})
    findings.push(
      deep.refusal === undefined
        ? {
            check: 'path depth',
            status: 'ok',
            text: `a repository may be ${deepest.split('/').length} levels deep`,
          }
        : {
            check: 'path depth',
            status: 'note',
            text: `a deep repository is refused: ${deep.refusal.message}`,
            hint: 'Let push join the levels of deep names: its flag is max-depth.',
          },
    )
  } catch (error) {
    findings.push(failed('push', error))
    return findings
  }
  const deletion = await asked('deletion', () => examiner.deletion(repository, {signal}), failed, {
    yes: 'manifests can be deleted, so sync --prune works',
    no: 'manifests cannot be deleted, so sync --prune does not work',
    unknown: 'the answer about deletion cannot be understood',
  })
  const whyNot = !tryWrites ? 'not asked' : deletion.status === 'ok' ? undefined : 'no deletion'
  findings.push(
    await asked('referrers', () => examiner.referrers(repository, {signal}), failed, {
      yes: 'signatures and SBOMs are listed by the referrers API',
      no: 'no referrers API: signatures and SBOMs are found by a tag, which mirror writes',
      unknown: 'the answer about the referrers API cannot be understood',
    }),
    deletion,
    ...(await checkWrites(examiner, {repository, whyNot, failed, signal})),
  )
  return findings
}

type Texts = Readonly<Record<Ability, string>>

async function asked(
  check: string,
  ask: () => Promise<Ability>,
  failed: (check: string, error: unknown) => Finding,
  texts: Texts,
): Promise<Finding> {
  try {
    return abilityFinding(check, await ask(), texts)
  } catch (error) {
    return failed(check, error)
  }
}

function abilityFinding(check: string, ability: Ability, texts: Texts): Finding {
  return {check, status: ability === 'yes' ? 'ok' : 'note', text: texts[ability]}
}

function baseFinding(url: string, {status, product, server, isWebPage, login}: BasePage): Finding {
  const check = 'registry'
  if (status === 200 && !isWebPage) {
    const who = product ?? (server === undefined ? 'a registry' : `a registry that calls itself ${server}`)
    const how = login === undefined ? ', without a login' : ', and takes the login'
    return {check, status: 'ok', text: `${url} answers ${status}: ${who}${how}`}
  }
  return {
    check,
    status: 'note',
    text: isWebPage
      ? `${url} answers with a web page, which a registry does not`
      : `${url} answers ${status}, where a registry answers 200`,
    hint: 'Check the host and the port. A registry below a path of its host needs a name or a port of its own.',
  }
}

function clockFinding(date: Date, now: Date): Finding {
  const skew = date.getTime() - now.getTime()
  const check = 'clock'
  if (Math.abs(skew) <= MOST_SKEW)
    return {check, status: 'ok', text: "the registry's clock and this machine's agree"}
  const way = skew > 0 ? 'ahead of' : 'behind'
  return {
    check,
    status: 'note',
    text: `the registry's clock is ${formatDuration(Math.abs(skew))} ${way} this machine's`,
    hint: 'Set the clocks: tokens and certificates are valid for a time only.',
  }
}

function problemOf(check: string, error: MirrorError, command: AdvisedCommand): Finding {
  const {message, hint} = wordedError(reportErrorOf(error), command)
  return {check, status: 'problem', text: message, hint}
}
