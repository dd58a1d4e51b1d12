/**
 * bmctl spells it `--need-credential=false`, and takes it bare for `true`: oclif's flags take a value or none, so the bare
 * form is given its value here.
 */
export function needCredentialArguments(argv: readonly string[]): string[] {
  return argv.map((argument) => (argument === '--need-credential' ? '--need-credential=true' : argument))
}
