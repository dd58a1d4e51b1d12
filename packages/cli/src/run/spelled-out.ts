/** Arguments with the usual short forms spelt out: `help push`, `version`, `-h`, `-v`. */
export function spelledOut(argv: readonly string[]): string[] {
  const [first, ...rest] = argv
  if (argv.length === 1 && (first === '-v' || first === 'version')) return ['--version']
  if (first === 'help') return [...rest, '--help']
  const end = argv.indexOf('--')
  return argv.map((argument, index) => (argument === '-h' && (end < 0 || index < end) ? '--help' : argument))
}
