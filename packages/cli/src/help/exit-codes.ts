import type {ExitCode} from '../report/exit-code.js'

/** The meaning of each exit code. */
export const exitCodes: Readonly<Record<ExitCode, string>> = {
  0: 'Success.',
  1: 'Failed: nothing useful was done.',
  2: 'Wrong usage or invalid input, found before the first byte was sent.',
  3: 'Some images failed, or somebody else changed their tags. The others are done.',
  4: 'The commands verify and config check found differences.',
  5: 'Another sync into the same place is at work.',
  70: 'A bug in mirror. Report it with its output.',
  129: 'Interrupted by SIGHUP.',
  130: 'Interrupted by SIGINT (Ctrl-C).',
  143: 'Interrupted by SIGTERM.',
}
