import type {HostileCase} from './hostile-case.js'
import {image, layoutOf} from './raw-image.js'
import {base256, longName, member, members, pax, paxRecord, tar, TRAILER, type RawMember} from './raw-tar.js'

const good = layoutOf(image('good'), 'app:v1')
const WHOLE = 'app:v1 whole'

/** The good layout with one hostile member among the others: neither first nor last. */
function among(...hostile: readonly RawMember[]): Buffer {
  return tar([...good.slice(0, 2), ...hostile, ...good.slice(2)])
}

function sized(size: string | Uint8Array | number) {
  return (): Buffer => among({path: 'x', size})
}

function rawPax(content: string | Uint8Array): RawMember {
  return {path: 'PaxHeader', type: 'x', content}
}

/** Headers and extension headers that no honest writer makes. */
export const tarCases: readonly HostileCase[] = [
  {
    name: 'a petabyte',
    made: 'size in base-256: 2^50',
    make: sized(base256(2n ** 50n)),
    expected: 'SOURCE_TRUNCATED',
  },
  {
    name: '2^63 bytes',
    made: 'size in base-256: 2^63',
    make: sized(base256(2n ** 63n)),
    expected: 'SOURCE_CORRUPT',
  },
  {
    name: 'an end beyond 2^53',
    made: 'size in base-256: 2^53 - 1',
    make: sized(base256(2n ** 53n - 1n)),
    expected: 'SOURCE_CORRUPT',
  },
  {
    name: 'less than nothing',
    made: 'size in base-256: -1',
    make: sized(Buffer.alloc(12, 0xff)),
    expected: 'SOURCE_CORRUPT',
  },
  {
    name: 'a minus sign',
    made: 'size "-0000000001"',
    make: sized('-0000000001\0'),
    expected: 'SOURCE_CORRUPT',
  },
  {
    name: 'digits that are not octal',
    made: 'size "00000000089"',
    make: sized('00000000089\0'),
    expected: 'SOURCE_CORRUPT',
  },
  {
    name: 'a hexadecimal size',
    made: 'size "0x000000010"',
    make: sized('0x000000010\0'),
    expected: 'SOURCE_CORRUPT',
  },
  {
    name: 'two numbers in one field',
    made: 'size "0000 000010"',
    make: sized('0000 000010\0'),
    expected: 'SOURCE_CORRUPT',
  },
  {
    name: 'a blank size',
    made: 'twelve spaces, as some old tars wrote nothing',
    make: sized(' '.repeat(12)),
    expected: WHOLE,
  },
  {
    name: 'twelve digits and no end',
    made: 'size "777777777777"',
    make: sized('777777777777'),
    expected: 'SOURCE_TRUNCATED',
  },
  {
    name: 'a directory of a terabyte',
    made: 'type 5, size 2^40: directories have no content',
    make: () => among({path: 'd', type: '5', size: base256(2n ** 40n)}),
    expected: WHOLE,
  },
  {
    name: 'a link of a terabyte',
    made: 'type 2, size 2^40',
    make: () => among({path: 'l', type: '2', link: 'x', size: base256(2n ** 40n)}),
    expected: WHOLE,
  },
  {
    name: 'a wrong checksum',
    made: 'one too much',
    make: () => among({path: 'x', checksumOff: 1}),
    expected: 'SOURCE_CORRUPT',
  },
  {
    name: 'a checksum of signed bytes',
    made: 'path "\\xc3\\xa9", added up as a signed char',
    make: () => among({path: 'é', signedChecksum: true}),
    expected: WHOLE,
  },
  {
    name: 'a type that nobody knows',
    made: 'type Z',
    make: () => among({path: 'x', type: 'Z'}),
    expected: WHOLE,
  },
  {
    name: 'a device',
    made: 'type 3',
    make: () => among({path: 'null', type: '3'}),
    expected: WHOLE,
  },
  {
    name: 'a part of a multi-volume archive',
    made: 'type M',
    make: () => among({path: 'x', type: 'M', content: 'rest'}),
    expected: WHOLE,
  },
  {
    name: 'a sparse file of GNU',
    made: 'type S',
    make: () => among({path: 'x', type: 'S'}),
    expected: WHOLE,
  },
  {
    name: 'a sparse file of pax',
    made: 'GNU.sparse.major=1, realsize a petabyte',
    make: () => among(pax({'GNU.sparse.major': '1', 'GNU.sparse.realsize': String(2 ** 50)}), {path: 'x'}),
    expected: 'SOURCE_CORRUPT',
  },
  {
    name: 'an empty block in the middle',
    made: '512 zeros between members',
    make: () => Buffer.concat([members(good.slice(0, 2)), Buffer.alloc(512), tar(good.slice(2))]),
    expected: 'SOURCE_CORRUPT',
  },
  {
    name: 'an end mark in the middle',
    made: '1024 zeros between members: what follows is an archive of its own',
    make: () => Buffer.concat([members(good.slice(0, 2)), TRAILER, tar(good.slice(2))]),
    expected: /^app:v1 /,
  },
  {
    name: 'junk after the end',
    made: 'a member and noise after the end mark: a second archive that is damaged',
    make: () => Buffer.concat([tar(good), member({path: 'index.json', content: '{}'}), Buffer.alloc(999, 7)]),
    expected: /^app:v1 whole, /,
  },
  {name: 'no end', made: 'the end mark is missing', make: () => members(good), expected: WHOLE},
  {
    name: 'an empty path',
    made: 'path ""',
    make: () => among({path: '', content: 'x'}),
    expected: 'SOURCE_CORRUPT',
  },
  {
    name: 'a path out of the archive',
    made: '../../../../etc/cron.d/x',
    make: () => among({path: '../../../../etc/cron.d/x'}),
    expected: 'SOURCE_CORRUPT',
  },
  {
    name: 'a path that goes out and comes back',
    made: 'a/../../bundle/index.json',
    make: () => among({path: 'a/../../bundle/index.json', content: '{}'}),
    expected: 'SOURCE_CORRUPT',
  },
  {
    name: 'an absolute path',
    made: '/etc/passwd is etc/passwd inside the archive',
    make: () => among({path: '/etc/passwd'}),
    expected: WHOLE,
  },
  {
    name: 'paths for a terminal',
    made: 'ANSI escapes, a bell, a right-to-left override',
    make: () => among({path: '\u001b[2J\u0007.txt'}, {path: '\u202egpj.exe'}, {path: 'a\nb'}),
    expected: WHOLE,
  },
  {
    name: 'a huge pax header',
    made: '2 MiB of records',
    make: () => among(pax({comment: 'x'.repeat(2 ** 21)}), {path: 'x'}),
    expected: 'LIMIT_EXCEEDED',
  },
  {
    name: 'a pax header of a petabyte',
    made: 'type x, size 2^50',
    make: () => among({path: 'PaxHeader', type: 'x', size: base256(2n ** 50n)}),
    expected: 'LIMIT_EXCEEDED',
  },
  {
    name: 'a flood of pax records',
    made: '150,000 records before one member',
    make: () => among(rawPax(paxRecord('a', '').repeat(150_000)), {path: 'x'}),
    expected: WHOLE,
  },
  {
    name: 'pax headers without end',
    made: '10,000 of them before one member',
    make: () => among(...Array.from({length: 10_000}, () => pax({comment: 'x'})), {path: 'x'}),
    expected: 'SOURCE_CORRUPT',
  },
  ...(
    [
      ['reaches over its header', '30 path=x\n'],
      ['is zero bytes long', '0 path=x\n'],
      ['is longer than numbers are', '99999999999999999999 path=x\n'],
      ['has a negative length', '-9 path=x\n'],
      ['has no line end', '9 path=xy'],
      ['has no equals sign', '9 pathxy\n'],
      ['has a NUL in its path', paxRecord('path', 'index.json\0.txt')],
      ['has a NUL in its link', paxRecord('linkpath', 'a\0b')],
      ['has a negative size', paxRecord('size', '-1')],
      ['has a size in another notation', paxRecord('size', '1e3')],
      ['has a size over 2^53', paxRecord('size', '9999999999999999')],
      ['has 2 MB of digits for a length', '1'.repeat(1_000_000)],
    ] as const
  ).map(([what, content]): HostileCase => ({
    name: `a pax record that ${what}`,
    made: JSON.stringify(content.slice(0, 40)),
    make: () => among(rawPax(content), {path: 'x'}),
    expected: 'SOURCE_CORRUPT',
  })),
  {
    name: 'a pax size that lies',
    made: 'size=2^50 over a header that says 0',
    make: () => among(pax({size: String(2 ** 50)}), {path: 'x'}),
    expected: 'SOURCE_TRUNCATED',
  },
  {
    name: 'a pax size that tells the truth',
    made: 'size=5 over a header that says 0: the pax record counts',
    make: () => tar([...good, pax({size: '5'})]).subarray(0, -1024),
    expected: 'SOURCE_TRUNCATED',
  },
  {
    name: 'a size for everything that follows',
    made: 'a global pax header with size=0',
    make: () => tar([good[0] as RawMember, pax({size: '0'}, 'g'), ...good.slice(1)]),
    expected: /^SOURCE_(?:CORRUPT|UNKNOWN)$/,
  },
  {
    name: 'one path for everything that follows',
    made: 'a global pax header with path=index.json: the last member is index.json',
    make: () => tar([pax({path: 'index.json'}, 'g'), ...good]),
    expected: /^SOURCE_UNKNOWN$/,
  },
  {
    name: 'an extension header and nothing after it',
    made: 'a pax header before the end mark',
    make: () => tar([...good, pax({path: 'x'})]),
    expected: 'SOURCE_TRUNCATED',
  },
  {
    name: 'a huge long name',
    made: 'GNU type L of 2 MiB',
    make: () => among(longName('x'.repeat(2 ** 21)), {path: 'x'}),
    expected: 'LIMIT_EXCEEDED',
  },
  {
    name: 'a long name over the limit of systems',
    made: 'GNU type L of 5,000 bytes',
    make: () => among(longName('x'.repeat(5000)), {path: 'x'}),
    expected: 'SOURCE_CORRUPT',
  },
  {
    name: 'a path of a thousand directories',
    made: 'GNU type L: d/d/d/…',
    make: () => among(longName('d/'.repeat(1000)), {path: 'x'}),
    expected: WHOLE,
  },
  {
    name: 'a long name with a NUL in it',
    made: 'index.json NUL .txt: what is before the NUL is the name',
    make: () => among(longName('index.json\0.txt'), {path: 'x', content: '{}'}),
    expected: WHOLE,
  },
]
