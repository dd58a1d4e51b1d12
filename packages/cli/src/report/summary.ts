import type {Report} from './report.js'

/** The end of a run for people, in lines. When quiet, only what went wrong: empty if nothing did. */
export const formatSummary = (report: Report, options: {readonly quiet?: boolean | undefined} = {}): string =>
  options.quiet === true ? '' : report.outcome

/** What a dry run found, for people, in lines. */
export const formatPlan = (report: Report): string => report.outcome
