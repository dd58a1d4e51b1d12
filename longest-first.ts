import {BaseSequencer, type TestSpecification} from 'vitest/node'

/** Test files that wait or compute for more than ten seconds on an idle machine, though most are short to read. */
const LONG: readonly string[] = [
  'test/faults/fault-matrix.test.ts',
  'test/docs-commands.test.ts',
  'test/package/package.test.ts',
  'test/hostile/archives.test.ts',
  'test/nodes/nodes.test.ts',
  'test/faults/registry-dies.test.ts',
  'test/faults/hostile-answers.test.ts',
  'test/e2e/hostile-bundles.test.ts',
  'test/hostile/mutations.test.ts',
]

/** Starts long test files first, so that no worker is left with such a file at the end. Vitest knows only sizes in a new clone. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const rank = ({moduleId}: TestSpecification): number => {
      const place = LONG.findIndex((path) => moduleId.endsWith(path))
      return place === -1 ? LONG.length : place
    }
    return sorted.toSorted((a, b) => rank(a) - rank(b))
  }
}
