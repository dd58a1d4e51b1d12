import {expect, test} from 'vitest'
import {AlikeWarnings} from '#src/run/alike-warnings.js'

/** The lines that are told of warnings, each as a name and a cause. */
function told(warnings: readonly (readonly [name: string, cause: string])[]): readonly string[] {
  const lines: string[] = []
  const alike = new AlikeWarnings((text) => lines.push(text))
  for (const [name, cause] of warnings) {
    alike.add(`signatures of ${name} may be missing: ${cause}`, {
      name,
      text: `signatures may be missing: ${cause}`,
    })
  }
  lines.push('end')
  alike.flush()
  alike.flush()
  return lines
}

test('the first warning of a cause is told at once, and the names of the others in one line at the end', () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'g'].map((name) => `gcr.io/team/${name}:v1`)
  expect(told(names.map((name) => [name, `${name}: the registry answered 500`]))).toEqual([
    'signatures of gcr.io/team/a:v1 may be missing: gcr.io/team/a:v1: the registry answered 500',
    'end',
    'signatures may be missing: the image: the registry answered 500: 6 more images: ' +
      'gcr.io/team/b:v1, gcr.io/team/c:v1, gcr.io/team/d:v1, gcr.io/team/e:v1, gcr.io/team/f:v1 and 1 more',
  ])
})

test('warnings with another cause are told apart, and one that is alone is one line', () => {
  expect(
    told([
      ['gcr.io/a:v1', 'the registry answered 500'],
      ['gcr.io/b:v1', 'the registry answered 403'],
    ]),
  ).toEqual([
    'signatures of gcr.io/a:v1 may be missing: the registry answered 500',
    'signatures of gcr.io/b:v1 may be missing: the registry answered 403',
    'end',
  ])
})
