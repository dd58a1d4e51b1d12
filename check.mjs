import {spawn} from 'node:child_process'

/** Everything that must be green after the set-up, at once: tests wait more than they compute. */
const CHECKS = ['prettier --check .', 'oxlint --type-aware --deny-warnings', 'knip', 'vitest run']

const codes = await Promise.all(CHECKS.map((command) => ended(command)))
const failed = CHECKS.filter((_, index) => codes[index] !== 0)
process.stdout.write(failed.length === 0 ? 'all checks passed\n' : `failed: ${failed.join('; ')}\n`)
process.exitCode = failed.length === 0 ? 0 : 1

/** Runs a command. The tests' output is shown as it comes, that of the others when they end. */
function ended(command) {
  const isLong = command.startsWith('vitest')
  return new Promise((resolve) => {
    const child = spawn(command, {
      shell: true,
      stdio: ['inherit', ...(isLong ? ['inherit', 'inherit'] : ['pipe', 'pipe'])],
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text) => {
        output += text
      })
    }
    child.once('close', (code) => {
      if (!isLong) process.stdout.write(`${command}: ${code === 0 ? 'passed' : `failed\n${output}`}\n`)
      resolve(code ?? 1)
    })
  })
}
