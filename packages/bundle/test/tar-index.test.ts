import {describe, expect, test} from 'vitest'
import {limits} from '@airgap-mirror/oci-client/model'
import {makeTempDir, tarBytes} from '@airgap-mirror/test/kit'
import {execFile} from 'node:child_process'
import {mkdir, readFile, symlink, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {promisify} from 'node:util'
import {indexTar} from '#src/tar/index-tar.js'
import {collect, failureOf, memorySource} from './fixtures/packed.js'
import {header, member, pax, trailer} from './fixtures/tar-blocks.js'

async function index(...parts: readonly Uint8Array[]) {
  return indexTar(memorySource(Buffer.concat(parts)))
}
async function paths(...parts: readonly Uint8Array[]): Promise<readonly string[]> {
  return (await index(...parts)).entries.map(({path}) => path)
}

describe('the content of a tar', () => {
  test('is found at its place if tar-stream wrote it', async () => {
    const bytes = await tarBytes([
      {path: 'blobs', directory: true},
      {path: 'blobs/a', bytes: Buffer.from('aaa')},
      {path: 'x'.repeat(90) + '/' + 'y'.repeat(90), bytes: Buffer.alloc(1025, 7)},
      {path: 'ünïcode/' + 'z'.repeat(300), bytes: Buffer.from('long')},
      {path: 'link', symlink: 'blobs/a'},
      {path: 'hard', hardlink: 'blobs/a'},
    ])
    const source = memorySource(bytes)
    const {entries} = await indexTar(source)
    expect(entries.map(({path, type, size}) => [path, type, size])).toEqual([
      ['blobs', 'directory', 0],
      ['blobs/a', 'file', 3],
      ['x'.repeat(90) + '/' + 'y'.repeat(90), 'file', 1025],
      ['ünïcode/' + 'z'.repeat(300), 'file', 4],
      ['link', 'symlink', 0],
      ['hard', 'hardlink', 0],
    ])
    const long = entries[3]
    expect((await collect(source.stream(long?.offset ?? 0, 4))).toString()).toBe('long')
  })

  test.each([['gnu'], ['pax'], ['ustar'], ['v7']])('is found in GNU tar --format=%s', async (format) => {
    await using directory = await makeTempDir()
    const inner = join(directory.path, 'in', 'd'.repeat(60))
    await mkdir(inner, {recursive: true})
    const name = format === 'v7' ? 'f' : 'f'.repeat(format === 'ustar' ? 80 : 200)
    await writeFile(join(inner, name), 'content')
    await symlink(format === 'v7' || format === 'ustar' ? name : 't'.repeat(200), join(inner, 'l'))
    const file = join(directory.path, 'a.tar')
    const args = [`--format=${format}`, '-cf', file, '-C', join(directory.path, 'in'), '.']
    await promisify(execFile)('tar', args)
    const {entries} = await indexTar(memorySource(await readFile(file)))
    const found = new Map(entries.map((entry) => [entry.path, entry]))
    expect([...found.keys()].toSorted()).toEqual(
      ['d'.repeat(60), `${'d'.repeat(60)}/${name}`, `${'d'.repeat(60)}/l`].toSorted(),
    )
    expect(found.get(`${'d'.repeat(60)}/${name}`)?.size).toBe(7)
    expect(found.get(`${'d'.repeat(60)}/l`)?.linkPath?.length).toBe(
      format === 'v7' || format === 'ustar' ? name.length : 200,
    )
  })

  test('has the sizes that base-256 and pax records give', async () => {
    const content = Buffer.alloc(512, 1)
    const base256 = header({path: 'big', sizeField: '\x80\0\0\0\0\0\0\0\0\0\x02\0'})
    const paxSized = header({path: 'pax', size: 0})
    expect(
      (await index(base256, content, pax({size: '512'}), paxSized, content, trailer)).entries.map(
        ({path, size}) => [path, size],
      ),
    ).toEqual([
      ['big', 512],
      ['pax', 512],
    ])
  })

  test('is named by pax and GNU extensions, for one member alone, and by global ones for all', async () => {
    expect(
      await paths(
        pax({path: 'one'}),
        member({path: 'short'}),
        member({path: 'two'}),
        member({path: '././@LongLink', type: 'L'}, 'three\0'),
        member({path: 'short'}),
        pax({comment: 'made by git'}, 'g'),
        member({path: 'four', type: '7'}),
        member({path: 'five', type: '\0'}),
        trailer,
      ),
    ).toEqual(['one', 'two', 'three', 'four', 'five'])
  })

  test('has clean paths, and the last member of a name counts', async () => {
    const tar = await index(
      member({path: './', type: '5'}),
      member({path: './a'}, 'first'),
      member({path: '/b//c/./d'}),
      member({path: 'x/../a'}, 'second!'),
      trailer,
    )
    expect(tar.entries.map(({path}) => path)).toEqual(['b/c/d', 'a'])
    expect(tar.find('./a')?.size).toBe(7)
  })

  test('may lack a trailer, or the padding of the last member', async () => {
    expect(await paths(member({path: 'a'}, 'x'))).toEqual(['a'])
    expect(await paths(member({path: 'a'}, 'x').subarray(0, 513))).toEqual(['a'])
    expect(await paths(member({path: 'a'}, 'x'), Buffer.alloc(512))).toEqual(['a'])
  })

  test('goes on in a further archive behind the end mark', async () => {
    const all = await index(member({path: 'a'}), trailer, Buffer.alloc(8192), member({path: 'b'}), trailer)
    expect(all.entries.map(({path}) => path)).toEqual(['a'])
    expect(all.behind.archives.map(({entries}) => entries.map(({path}) => path))).toEqual([['b']])
    expect(all.behind.strayBytes).toBe(0)
  })

  test('is counted in bytes if it is something else behind the end mark', async () => {
    const all = await index(member({path: 'a'}), trailer, Buffer.from('garbage'))
    expect(all.behind).toEqual({archives: [], strayBytes: 7})
  })

  test('is kept if a further archive is cut short', async () => {
    const all = await index(
      member({path: 'a'}),
      trailer,
      member({path: 'b'}, 'x'.repeat(600)).subarray(0, 700),
    )
    expect(all.entries.map(({path}) => path)).toEqual(['a'])
    expect(all.behind.error?.code ?? all.behind.archives.length).toBe('SOURCE_TRUNCATED')
  })

  test('may end with a global header, as git archive leaves one', async () => {
    expect(await paths(member({path: 'a'}), pax({comment: 'x'}, 'g'), trailer)).toEqual(['a'])
  })

  test('may have odd members, which are skipped by their size', async () => {
    const all = await index(
      member({path: 'label', type: 'V'}),
      member({path: 'dump/', type: 'D'}, 'Yfile\0'.repeat(200)),
      member({path: 'dev', type: '3'}),
      member({path: 'fifo', type: '6'}),
      member({path: 'vendor', type: 'Z'}, 'z'.repeat(700)),
      member({path: 'rest', type: 'M'}, 'm'.repeat(700)),
      member({path: 'a'}, 'x'),
      trailer,
    )
    expect(all.entries.map(({path}) => path)).toEqual(['a'])
    expect(all.skipped.map(({path, size}) => [path, size])).toEqual([
      ['label', 0],
      ['dump/', 1200],
      ['dev', 0],
      ['fifo', 0],
      ['vendor', 700],
      ['rest', 700],
    ])
  })
})

describe('links', () => {
  const archive = [
    member({path: 'd/file'}, 'x'),
    member({path: 'd/near', type: '2', linkPath: 'file'}),
    member({path: 'e/up', type: '2', linkPath: '../d/near'}),
    member({path: 'hard', type: '1', linkPath: './d/file'}),
    member({path: 'absolute', type: '2', linkPath: '/d/file'}),
    member({path: 'dir', type: '2', linkPath: 'd'}),
    member({path: 'out', type: '2', linkPath: '../../etc/passwd'}),
    member({path: 'self', type: '2', linkPath: 'self'}),
    member({path: 'ping', type: '2', linkPath: 'pong'}),
    member({path: 'pong', type: '2', linkPath: 'ping'}),
    member({path: 'loop', type: '2', linkPath: 'loop/loop'}),
    member({path: 'gone', type: '2', linkPath: 'nowhere'}),
    trailer,
  ]

  test.each(['d/file', 'd/near', 'e/up', 'hard', 'absolute', 'dir/file', 'dir/near', 'e/../d/file'])(
    'lead from %s to the file',
    async (path) => expect((await index(...archive)).find(path)?.path).toBe('d/file'),
  )

  test.each(['out', 'self', 'ping', 'loop', 'gone', 'missing', '../d/file', 'd/file/x'])(
    'lead from %s to nothing',
    async (path) => expect((await index(...archive)).find(path)).toBeUndefined(),
  )
})

describe('a bad tar', () => {
  const big = {path: 'big', size: 5000}
  test.each<[string, string, readonly Uint8Array[]]>([
    ['a checksum that is wrong', 'SOURCE_CORRUPT', [Buffer.alloc(512, 0x41)]],
    ['a lone empty block', 'SOURCE_CORRUPT', [Buffer.alloc(512), member({path: 'a'}), trailer]],
    ['a path out of the archive', 'SOURCE_CORRUPT', [member({path: '../a'}), trailer]],
    ['a file without a name', 'SOURCE_CORRUPT', [member({path: './'}), trailer]],
    ['a path of 5000 bytes', 'SOURCE_CORRUPT', [pax({path: 'p'.repeat(5000)}), member({path: 'a'}), trailer]],
    [
      'a malformed pax record',
      'SOURCE_CORRUPT',
      [member({path: 'p', type: 'x'}, '5 a=b\n'), member({path: 'a'})],
    ],
    ['a flood of extensions', 'SOURCE_CORRUPT', Array.from({length: 40}, () => pax({path: 'a'}))],
    ['a content that is cut off', 'SOURCE_TRUNCATED', [header(big), Buffer.alloc(4999)]],
    ['a header that is cut off', 'SOURCE_TRUNCATED', [member({path: 'a'}), header(big).subarray(0, 300)]],
    ['an extension that is cut off', 'SOURCE_TRUNCATED', [header({path: 'x', type: 'x', size: 99})]],
    ['an extension without a member', 'SOURCE_TRUNCATED', [pax({path: 'a'})]],
    [
      'a size of petabytes',
      'SOURCE_TRUNCATED',
      [header({path: 'a', sizeField: '\x80\0\0\0\0\x1f\xff\xff\xff\xff\0\0'})],
    ],
    [
      'a sparse file of pax without its map',
      'SOURCE_CORRUPT',
      [pax({'GNU.sparse.major': '1'}), member({path: 's'})],
    ],
    [
      'a sparse file of pax that is stored over its size',
      'SOURCE_CORRUPT',
      [pax({'GNU.sparse.map': '0,600', 'GNU.sparse.size': '599'}), member({path: 's'}, 'x'.repeat(600))],
    ],
    [
      'a sparse map that is no list of numbers',
      'SOURCE_CORRUPT',
      [pax({'GNU.sparse.map': '0,-1'}), member({path: 's'})],
    ],
    [
      'an extension of gigabytes',
      'LIMIT_EXCEEDED',
      [header({path: 'x', type: 'x', size: limits.tarExtensionBytes + 1}), Buffer.alloc(4096)],
    ],
  ])('with %s is refused with %s', async (_what, code, parts) => {
    expect(await failureOf(index(...parts))).toBe(code)
    expect(await failureOf(indexTar(memorySource(Buffer.concat(parts), 'blocks')))).toBe(code)
  })
})

describe('reading', () => {
  const archive = async (): Promise<Buffer> =>
    tarBytes([
      {path: 'layer', bytes: Buffer.alloc(3_000_000, 1)},
      {path: 'config', bytes: Buffer.from('{"a":1}')},
      {path: 'small', bytes: Buffer.from('not json')},
      {path: 'manifest.json', bytes: Buffer.from('[]')},
      {path: 'sub/oci-layout', bytes: Buffer.from('x')},
    ])

  test('of a costly source is in ascending order, and reads contents only if they may be JSON', async () => {
    const source = memorySource(await archive(), 'in-order')
    const tar = await indexTar(source)
    const offsets = source.reads.map(([offset]) => offset)
    expect(offsets).toEqual(offsets.toSorted((a, b) => a - b))
    const layer = tar.find('layer')
    expect(source.reads.some(([at]) => at >= 512 && at < (layer?.size ?? 0))).toBe(false)
    expect(Buffer.from(tar.find('config')?.captured ?? []).toString()).toBe('{"a":1}')
    expect(Buffer.from(tar.find('manifest.json')?.captured ?? []).toString()).toBe('[]')
    expect(Buffer.from(tar.find('sub/oci-layout')?.captured ?? []).toString()).toBe('x')
    expect(tar.find('small')?.captured).toBeUndefined()
  })

  test('of a file captures nothing', async () => {
    const {entries} = await indexTar(memorySource(await archive()))
    expect(entries.every(({captured}) => captured === undefined)).toBe(true)
  })

  test('stops when it is told to', async () => {
    const signal = AbortSignal.abort()
    expect(await failureOf(indexTar(memorySource(await archive()), {signal}))).toBe('CANCELLED')
  })
})
