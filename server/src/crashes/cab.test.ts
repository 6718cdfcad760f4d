import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import { type RawCab, rawCab } from '../../test/crashes/raw-cab.js';
import { missing, sample, sha256 } from '../../test/crashes/samples.js';
import { type CabLimits, cabLimits, readCab } from './cab.js';
import { CabError, type CabReason } from './cab-error.js';

const dumpHash = '3dea9cebd7556f752822c8ee9455f7bf1fe0303979f95fd6b14d34e892494647';
const metadataHash = '84d64384906993502309e3290cbba0b52471a137d61abd55d80f13b11da5a758';

const text = (value: string) => Buffer.from(value, 'utf8');
const mszip = (data: Uint8Array, history?: Uint8Array) =>
  Buffer.concat([text('CK'), deflateRawSync(data, history === undefined ? {} : { dictionary: history })]);

function refuses(bytes: Uint8Array, reason: CabReason, message: RegExp, limits: CabLimits = cabLimits): void {
  assert.throws(
    () => {
      const cab = readCab(bytes, limits);
      for (const file of cab.files) cab.extract(file.name);
    },
    (error) => {
      assert.ok(error instanceof CabError, String(error));
      assert.equal(error.reason, reason, error.message);
      assert.match(error.message, message);
      return true;
    },
  );
}

/** A cabinet of one stored file `a.txt` with `hello`, changed. */
const hello = (change: Partial<RawCab> = {}) =>
  rawCab({
    folders: [{ blocks: [{ data: text('hello') }] }],
    files: [{ name: 'a.txt', size: 5 }],
    ...change,
  });

describe('samples', () => {
  for (const [name, compression] of [
    ['report-stored.cab', 'stored'],
    ['report-mszip.cab', 'mszip'],
  ] as const) {
    it(`lists and extracts ${name}`, () => {
      const cab = readCab(sample(name), cabLimits);
      const common = { date: '2026-11-22T12:37:34', attributes: 0x20, folder: 0, compression, opens: true };
      assert.deepEqual(cab.files, [
        { name: 'minidump.dmp', size: 208_413, ...common },
        { name: 'metadata.json', size: 183, ...common },
      ]);
      assert.equal(sha256(cab.extract('minidump.dmp')), dumpHash);
      assert.equal(sha256(cab.extract('metadata.json')), metadataHash);
      assert.deepEqual(cab.extract('minidump.dmp'), sample('win-av.dmp'));
    });

    it(`agrees with cabextract on ${name}`, { skip: missing('cabextract') }, () => {
      const folder = mkdtempSync(join(tmpdir(), 'storelens-cab-'));
      try {
        writeFileSync(join(folder, 'x.cab'), sample(name));
        assert.equal(spawnSync('cabextract', ['-q', '-d', folder, join(folder, 'x.cab')]).status, 0);
        const cab = readCab(sample(name), cabLimits);
        for (const file of cab.files) {
          assert.deepEqual(cab.extract(file.name), new Uint8Array(readFileSync(join(folder, file.name))));
        }
        const list = spawnSync('cabextract', ['-l', join(folder, 'x.cab')], { encoding: 'utf8' }).stdout;
        const rows = [...list.matchAll(/^ *(\d+) \| (\d\d)\.(\d\d)\.(\d{4}) ([\d:]{8}) \| (.*)$/gm)];
        assert.deepEqual(
          rows.map(([, size, day, month, year, time, label]) => [
            size,
            `${year}-${month}-${day}T${time}`,
            label,
          ]),
          cab.files.map((file) => [String(file.size), file.date, file.name]),
        );
      } finally {
        rmSync(folder, { recursive: true });
      }
    });
  }

  for (const args of [['-c'], ['-c', '-z']]) {
    it(`reads what gcab ${args.join(' ')} writes`, { skip: missing('gcab') }, () => {
      const folder = mkdtempSync(join(tmpdir(), 'storelens-cab-'));
      try {
        const contents = { 'minidump.dmp': sample('win-av.dmp'), 'größe.txt': new Uint8Array(70_000) };
        for (const [name, bytes] of Object.entries(contents)) writeFileSync(join(folder, name), bytes);
        const run = spawnSync('gcab', [...args, 'x.cab', ...Object.keys(contents)], { cwd: folder });
        assert.equal(run.status, 0, String(run.stderr));
        const cab = readCab(new Uint8Array(readFileSync(join(folder, 'x.cab'))), cabLimits);
        assert.deepEqual(
          cab.files.map((file) => file.name),
          Object.keys(contents),
        );
        for (const [name, bytes] of Object.entries(contents)) assert.deepEqual(cab.extract(name), bytes);
      } finally {
        rmSync(folder, { recursive: true });
      }
    });
  }

  it('refuses the bomb by ratio and by total, before unpacking', () => {
    refuses(
      sample('hostile-bomb64.cab'),
      'ratio',
      /114754 bytes that unpack to 67108864, more than 200 to 1/,
    );
    const limits = { ...cabLimits, totalBytes: 50_000_000 };
    refuses(sample('hostile-bomb64.cab'), 'too-large', /more than 50000000 bytes/, limits);
  });

  it('refuses the name that climbs', () => {
    refuses(
      sample('hostile-traverse.cab'),
      'name-traversal',
      /"\.\.\/\.\.\/evil\.dmp" leads out of its folder/,
    );
  });
});

describe('what is read', () => {
  it('reads reserved areas, and checksums with and without them', () => {
    for (const sumsReserve of [true, false]) {
      const cab = readCab(hello({ reserve: { header: 20, folder: 3, data: 5 }, sumsReserve }), cabLimits);
      assert.deepEqual(cab.extract('a.txt'), new Uint8Array(text('hello')));
    }
  });

  it('reads several folders, in any order of their data, and files without bytes', () => {
    const one = text('first');
    const bytes = rawCab({
      folders: [
        { type: 1, blocks: [{ data: mszip(one), unpacked: 5 }] },
        { blocks: [{ data: text('sec') }, { data: text('ond') }] },
        { blocks: [] },
      ],
      files: [
        { name: 'x\\one', size: 5 },
        { name: 'two', size: 4, folder: 1 },
        { name: 'nothing', size: 0, start: 4, folder: 1 },
        { name: 'three', size: 2, start: 4, folder: 1 },
        { name: 'empty', size: 0, folder: 2 },
      ],
    });
    const cab = readCab(bytes, cabLimits);
    const contents = cab.files.map(({ name }) => [name, Buffer.from(cab.extract(name)).toString()]);
    assert.deepEqual(contents, [
      ['x/one', 'first'],
      ['two', 'seco'],
      ['nothing', ''],
      ['three', 'nd'],
      ['empty', ''],
    ]);
  });

  it('uses the block before as the dictionary of the next', () => {
    const first = Buffer.alloc(32_768, 'the same text again and again, ');
    const second = first.subarray(0, 10_000);
    const bytes = rawCab({
      folders: [
        {
          type: 1,
          blocks: [
            { data: mszip(first), unpacked: first.length },
            { data: mszip(second, first), unpacked: second.length },
          ],
        },
      ],
      files: [{ name: 'a', size: 42_768 }],
    });
    assert.equal(sha256(readCab(bytes, cabLimits).extract('a')), sha256(Buffer.concat([first, second])));
  });

  it('reads names as UTF-8 where they say so, else as ISO 8859-1', () => {
    const name = (value: Uint8Array, attributes: number) =>
      readCab(hello({ files: [{ name: value, size: 5, attributes }] }), cabLimits).files[0]?.name;
    assert.equal(name(text('größe.txt'), 0x80), 'größe.txt');
    assert.equal(name(Buffer.from('größe.txt', 'latin1'), 0x20), 'größe.txt');
    const broken = hello({ files: [{ name: Uint8Array.of(0xff, 0x41), size: 5, attributes: 0x80 }] });
    refuses(broken, 'name-invalid', /marked as UTF-8 and is not/);
  });

  it('gives no date where there is none', () => {
    const date = (day: number, time: number) =>
      readCab(hello({ files: [{ name: 'a', size: 5, day, time }] }), cabLimits).files[0]?.date;
    assert.equal(date(0, 0), null);
    assert.equal(date((36 << 9) | (2 << 5) | 29, (23 << 11) | (59 << 5) | 29), '2016-02-29T23:59:58');
    assert.equal(date((37 << 9) | (2 << 5) | 29, 0), null);
    assert.equal(date((36 << 9) | (2 << 5) | 1, 24 << 11), null);
  });

  it('lists LZX and Quantum folders and says that it does not open them', () => {
    for (const [type, compression] of [
      [0x1503, 'lzx'],
      [0x1472, 'quantum'],
    ] as const) {
      const bytes = hello({ folders: [{ type, blocks: [{ data: text('abc'), unpacked: 5 }] }] });
      const [file] = readCab(bytes, cabLimits).files;
      assert.equal(file?.compression, compression);
      assert.equal(file?.opens, false);
      refuses(bytes, 'compression-not-opened', new RegExp(`compressed with ${compression}, which is kept`));
    }
  });

  it('refuses to extract what is not there', () => {
    assert.throws(() => readCab(hello(), cabLimits).extract('b'), { reason: 'no-such-file' });
  });

  it('reads a cabinet that lies within a larger buffer', () => {
    const buffer = new Uint8Array([1, 2, 3, ...hello(), 4]);
    const cab = readCab(buffer.subarray(3, buffer.length - 1), cabLimits);
    assert.equal(Buffer.from(cab.extract('a.txt')).toString(), 'hello');
  });
});

describe('headers that are refused', () => {
  it('refuses what is no cabinet', () => {
    refuses(new Uint8Array(0), 'not-a-cabinet', /does not begin as a cabinet/);
    refuses(text('MSCF'), 'not-a-cabinet', /MSCF and a header/);
    refuses(sample('win-av.dmp'), 'not-a-cabinet', /does not begin as a cabinet/);
    refuses(Buffer.concat([text('x'), hello()]), 'not-a-cabinet', /does not begin as a cabinet/);
    refuses(hello({ version: 0x0104 }), 'version', /version 1\.4; 1\.3 is read/);
  });

  it('refuses parts of a set', () => {
    for (const flags of [1, 2, 3]) refuses(hello({ flags }), 'multi-cabinet', /one of a set/);
    for (const folder of [0xfffd, 0xfffe, 0xffff]) {
      refuses(hello({ files: [{ name: 'a', size: 5, folder }] }), 'multi-cabinet', /goes on in another/);
    }
  });

  it('refuses every length but its own', () => {
    const whole = hello({ reserve: { header: 4, folder: 1, data: 1 } });
    for (let length = 0; length < whole.length; length += 1) {
      assert.throws(() => readCab(whole.subarray(0, length), cabLimits), CabError);
      const cut = Buffer.from(whole.subarray(0, length));
      // With a header that declares the shorter length, too.
      if (length >= 12) cut.writeUInt32LE(length, 8);
      assert.throws(() => readCab(cut, cabLimits), CabError);
    }
    refuses(whole.subarray(0, whole.length - 1), 'truncated', /declares \d+ bytes and has \d+/);
    refuses(hello({ tail: text('x') }), 'trailing-bytes', /ends after \d+ of \d+ bytes/);
    refuses(hello({ tail: hello() }), 'trailing-bytes', /nothing may follow it/);
  });

  it('refuses flags and reserved areas nobody defined', () => {
    refuses(hello({ flags: 8 }), 'ambiguous', /flags nobody defined \(0x8\)/);
    refuses(hello({ reserve: { header: 60_001, folder: 0, data: 0 } }), 'ambiguous', /60000 are the most/);
  });

  it('refuses a table of files that does not follow the folders', () => {
    refuses(hello({ fileTable: 45 }), 'ambiguous', /said to begin at 45; it must follow the folders, at 44/);
    refuses(hello({ fileTable: 0xffffffff }), 'ambiguous', /must follow the folders/);
  });

  it('refuses counts over the limits, and none at all', () => {
    refuses(hello({ fileCount: 0 }), 'empty', /no folder or no file/);
    refuses(hello({ folderCount: 0 }), 'empty', /no folder or no file/);
    refuses(hello({ fileCount: 65 }), 'too-many-files', /65 files; 64 are allowed/);
    refuses(hello({ folderCount: 9 }), 'too-many-folders', /9 folders; 8 are allowed/);
    refuses(hello(), 'too-many-files', /1 files; 0 are allowed/, { ...cabLimits, files: 0 });
  });

  it('refuses compressions nobody defined', () => {
    for (const type of [4, 15, 0x10, 0x1501]) {
      const bytes = hello({ folders: [{ type, blocks: [{ data: text('hello') }] }] });
      refuses(bytes, 'compression-unknown', /Folder 0 has a compression nobody defined/);
    }
  });
});

describe('names that are refused', () => {
  const named = (name: string, attributes = 0xa0) => hello({ files: [{ name, size: 5, attributes }] });
  for (const [name, reason] of [
    ['..\\a', 'name-traversal'],
    ['a/../../b', 'name-traversal'],
    ['a\\..', 'name-traversal'],
    ['..', 'name-traversal'],
    ['.. \\a', 'name-traversal'],
    ['a\\...\\b', 'name-traversal'],
    ['\\a', 'name-absolute'],
    ['/etc/passwd', 'name-absolute'],
    ['\\\\server\\share\\a', 'name-absolute'],
    ['C:\\a', 'name-absolute'],
    ['c:a', 'name-absolute'],
    ['a.dmp:stream', 'name-invalid'],
    ['a\nb', 'name-invalid'],
    ['a\x7f', 'name-invalid'],
    ['', 'name-invalid'],
    ['a\\\\b', 'name-invalid'],
    ['a/', 'name-invalid'],
    ['.\\a', 'name-invalid'],
    ['a.', 'name-invalid'],
    ['a \\b', 'name-invalid'],
  ] as const) {
    it(`refuses ${JSON.stringify(name)}`, () => refuses(named(name), reason, /^The file name "/));
  }

  it('refuses names that are too long, and cuts them in messages', () => {
    assert.equal(readCab(named('a'.repeat(255)), cabLimits).files[0]?.name.length, 255);
    refuses(named('a'.repeat(256)), 'name-too-long', /longer than 255 bytes/);
    refuses(named('abc'), 'name-too-long', /longer than 2 bytes/, { ...cabLimits, nameLength: 2 });
    refuses(named(`/${'a'.repeat(200)}`), 'name-absolute', /^.{0,150}$/);
  });

  it('refuses names that are there twice, in whatever spelling', () => {
    for (const [one, two] of [
      ['a.dmp', 'a.dmp'],
      ['a.dmp', 'A.DMP'],
      ['x\\a', 'x/a'],
      ['gr\u00f6\u00dfe', 'gro\u0308\u00dfe'],
    ] as const) {
      const files = [
        { name: one, size: 5, attributes: 0x80 },
        { name: two, size: 0, start: 5, attributes: 0x80 },
      ];
      refuses(hello({ files }), 'name-duplicate', /is there twice/);
    }
  });
});

describe('data that is refused', () => {
  const packed = (data: Uint8Array, unpacked: number) =>
    hello({ folders: [{ type: 1, blocks: [{ data, unpacked }] }] });

  it('refuses offsets beyond the file', () => {
    const folder = (change: object) => hello({ folders: [{ blocks: [{ data: text('hello') }], ...change }] });
    refuses(folder({ start: 0xffffffff }), 'out-of-range', /said to begin at 4294967295, beyond the file/);
    refuses(folder({ count: 2 }), 'out-of-range', /Block 1 of folder 0 begins at/);
    refuses(folder({ count: 0 }), 'ambiguous', /belong to nothing/);
    const longer = hello({ folders: [{ blocks: [{ data: text('hello'), packed: 6, unpacked: 6 }] }] });
    refuses(longer, 'out-of-range', /Block 0 of folder 0 ends at/);
    refuses(hello({ files: [{ name: 'a', size: 5, folder: 1 }] }), 'out-of-range', /in folder 1 of 1/);
    refuses(hello({ files: [{ name: 'a', size: 6 }] }), 'out-of-range', /ends at 6 in a folder of 5/);
    refuses(
      hello({ files: [{ name: 'a', size: 5, start: 0xffffffff }] }),
      'out-of-range',
      /in a folder of 5/,
    );
    refuses(hello({ files: [{ name: 'a', size: 0xffffffff }] }), 'out-of-range', /ends at 4294967295/);
  });

  it('refuses folders that share blocks or lie in the tables', () => {
    const blocks = [{ data: text('hello') }];
    const two = (start: number) =>
      rawCab({
        folders: [{ blocks }, { start, count: 1, blocks: [] }],
        files: [
          { name: 'a', size: 5 },
          { name: 'b', size: 5, folder: 1 },
        ],
      });
    refuses(two(52 + 18 + 18), 'overlap', /Folder 1 begins at 88, within what ends at 101/);
    refuses(hello({ folders: [{ start: 0, blocks }] }), 'block-size', /Block 0 of folder 0/);
    // A block that lies in the reserved area of the header.
    const hidden = rawCab({
      reserve: { header: 13, folder: 0, data: 0 },
      folders: [{ start: 40, count: 1, blocks: [] }],
      files: [{ name: 'a', size: 5 }],
    });
    hidden.set([0, 0, 0, 0, 5, 0, 5, 0, 1, 2, 3, 4, 5], 40);
    refuses(hidden, 'overlap', /Folder 0 begins at 40, within what ends at 79/);
  });

  it('refuses bytes that belong to nothing', () => {
    refuses(hello({ gap: 3 }), 'ambiguous', /The bytes from 66 to 69 belong to nothing/);
    refuses(hello({ tail: text('x'), length: 66 + 13 + 1 }), 'ambiguous', /from 79 to 80 belong to nothing/);
  });

  it('refuses files that share bytes, leave some out, or stand in another order', () => {
    const files = (...list: [number, number][]) =>
      hello({ files: list.map(([start, size], index) => ({ name: `f${index}`, start, size })) });
    assert.equal(readCab(files([0, 2], [2, 3]), cabLimits).files.length, 2);
    refuses(files([0, 3], [2, 3]), 'overlap', /"f1" begins at 2, within what ends at 3/);
    refuses(files([0, 5], [0, 5]), 'overlap', /"f1" begins at 0/);
    refuses(files([2, 3], [0, 2]), 'ambiguous', /"f0" begins at 2 instead of 0/);
    refuses(files([0, 2], [3, 2]), 'ambiguous', /"f1" begins at 3 instead of 2/);
    refuses(files([0, 4]), 'ambiguous', /unpacks to 5 bytes and its files end at 4/);
  });

  it('refuses blocks with impossible sizes', () => {
    const block = (change: object, type = 0) =>
      hello({ folders: [{ type, blocks: [{ data: text('hello'), ...change }] }] });
    refuses(block({ unpacked: 0 }), 'block-size', /unpacks to nothing/);
    refuses(block({ packed: 0 }), 'block-size', /declares 0 bytes/);
    refuses(block({ unpacked: 4 }), 'block-size', /is stored and declares 5 bytes that unpack to 4/);
    refuses(block({ unpacked: 32_769 }, 1), 'block-size', /unpack to 32769; at most 32768/);
    refuses(block({ data: new Uint8Array(38_913), unpacked: 5 }, 1), 'block-size', /declares 38913 bytes/);
    const blocks = [0, 1].map(() => ({ data: mszip(text('hello')), unpacked: 5 }));
    const short = hello({ folders: [{ type: 1, blocks }], files: [{ name: 'a', size: 10 }] });
    refuses(short, 'ambiguous', /Block 0 of folder 0 unpacks to 5 bytes; all but the last must have 32768/);
  });

  it('refuses wrong checksums and takes none', () => {
    const sum = (checksum: number) => hello({ folders: [{ blocks: [{ data: text('hello'), checksum }] }] });
    assert.equal(readCab(sum(0), cabLimits).files.length, 1);
    refuses(sum(1), 'checksum', /does not have the checksum it declares/);
    for (const name of ['report-stored.cab', 'report-mszip.cab']) {
      const bytes = sample(name);
      bytes[5_000] = (bytes[5_000] ?? 0) ^ 1;
      refuses(bytes, 'checksum', /The block at 103 in folder 0/);
    }
  });

  it('refuses MSZIP blocks that do not unpack to what they declare', () => {
    assert.equal(readCab(packed(mszip(text('hello')), 5), cabLimits).extract('a.txt').length, 5);
    refuses(packed(text('CJhello'), 5), 'data', /does not begin with CK/);
    refuses(packed(text('CK'), 5), 'data', /does not unpack/);
    refuses(packed(text('CK\xff\xff\xff'), 5), 'data', /does not unpack/);
    refuses(packed(mszip(text('hello')).subarray(0, 5), 5), 'data', /does not unpack/);
    refuses(packed(mszip(text('hello!')), 5), 'data', /does not unpack/);
    refuses(packed(mszip(text('hell')), 5), 'data', /unpacks to 4 bytes instead of the 5/);
    refuses(packed(mszip(Buffer.alloc(1_000_000)), 5), 'data', /does not unpack/);
    const twice = Buffer.concat([mszip(text('hello')), mszip(text('other'))]);
    refuses(packed(twice, 5), 'ambiguous', /goes on after the end of its deflate stream/);
    refuses(packed(mszip(text('hello'), text('hello')), 5), 'data', /does not unpack/);
  });

  it('takes no limits that limit nothing', () => {
    assert.throws(() => readCab(hello(), { ...cabLimits, totalBytes: Number.NaN }), TypeError);
    assert.throws(() => readCab(hello(), { ...cabLimits, ratio: -1 }), TypeError);
  });

  it('refuses totals and ratios of every compression at their first byte too many', () => {
    const limit = (change: Partial<CabLimits>) => ({ ...cabLimits, ...change });
    assert.equal(readCab(hello(), limit({ totalBytes: 5 })).files.length, 1);
    refuses(hello(), 'too-large', /more than 4 bytes/, limit({ totalBytes: 4 }));
    const zeros = packed(mszip(Buffer.alloc(32_768)), 32_768);
    const exact = rawCab({
      folders: [{ type: 1, blocks: [{ data: mszip(Buffer.alloc(32_768)), unpacked: 32_768 }] }],
      files: [{ name: 'a.txt', size: 32_768 }],
    });
    const allowance = 32_768 - exact.length * 10;
    const ratio = { ratio: 10, ratioAllowance: allowance };
    assert.equal(readCab(exact, limit(ratio)).extract('a.txt').length, 32_768);
    refuses(zeros, 'ratio', /more than 10 to 1/, limit({ ...ratio, ratioAllowance: allowance - 1 }));
    const lzx = hello({ folders: [{ type: 0x1503, blocks: [{ data: text('abc'), unpacked: 5 }] }] });
    refuses(lzx, 'too-large', /more than 4 bytes/, limit({ totalBytes: 4 }));
  });
});
