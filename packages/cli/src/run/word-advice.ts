import type {MirrorEvent} from '../engine/events.js'
import {advise} from '../text/advice/advise.js'
import type {AdvisedCommand} from '../text/advice/words.js'
import type {Report, ReportError, ReportImage} from '../report/report.js'

/** The report with each error's advice as a hint for the command. */
export function wordedReport(report: Report, command: AdvisedCommand): Report {
  const images = report.images.map((image): ReportImage => {
    return image.error === undefined ? image : {...image, error: wordedError(image.error, command)}
  })
  return {
    ...report,
    error: report.error === undefined ? undefined : wordedError(report.error, command),
    errors: report.errors?.map((error) => wordedError(error, command)),
    images,
  }
}

/** The event with the advice of its error as a hint for the command. */
export function wordedEvent(event: MirrorEvent, command: AdvisedCommand): MirrorEvent {
  if (event.type !== 'image' || event.error === undefined) return event
  return {...event, error: wordedError(event.error, command)}
}

/** The error with its advice as a hint for the command. */
export function wordedError(error: ReportError, command: AdvisedCommand): ReportError {
  const {advice: _advice, ...rest} = error
  const hint = advise(error, {command})
  return hint === undefined ? rest : {...rest, hint}
}
