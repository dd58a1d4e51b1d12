import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'

export interface TempDir extends AsyncDisposable {
  readonly path: string
  remove(): Promise<void>
}

/** A new directory under the system's, for `await using` or `afterAll`. */
export async function makeTempDir(): Promise<TempDir> {
  const path = await mkdtemp(join(tmpdir(), 'mirror-test-'))
  const remove = (): Promise<void> => rm(path, {recursive: true, force: true})
  return {path, remove, [Symbol.asyncDispose]: remove}
}

/** A directory for as long as `work` takes. */
export async function withTempDir<Result>(work: (path: string) => Promise<Result>): Promise<Result> {
  const directory = await makeTempDir()
  try {
    return await work(directory.path)
  } finally {
    await directory.remove()
  }
}
