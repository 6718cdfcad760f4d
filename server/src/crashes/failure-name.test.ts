import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Dice } from '../../test/oracle/random.js';
import { linuxSignals } from './failure-classes.js';
import {
  type ExceptionFacts,
  exceptionCode,
  type FailureFacts,
  givenName,
  nameFailure,
  namingVersion,
} from './failure-name.js';

const play = [{ image: 'game.exe', function: 'Play(int)' }];
const named = (exception: ExceptionFacts, more: Partial<FailureFacts> = {}) =>
  nameFailure({ mode: 'um', exception, frames: play, ...more }).failureName;

test('the sample dumps get the names that their authors say', () => {
  const windows = nameFailure({
    mode: 'um',
    exception: { code: 0xc0000005, parameters: [0n, 0n] },
    frames: [{ image: 'C:\\Games\\ContosoGame.exe', offset: 0x1820n, found: 'context' }],
  });
  assert.deepEqual(windows, {
    failureName: 'NULL_POINTER_READ_c0000005_ContosoGame.exe!1820',
    symbol: 'contosogame!1820',
    version: 1,
    given: false,
    blamed: 0,
  });
  const linux = nameFailure({
    mode: 'um',
    exception: { signal: linuxSignals.get(11), address: 0x10n, signalDetail: 1 },
    frames: [
      { image: '/src/crashme', function: 'game::Inventory::CountOf(game::Item const*)', offset: 0x15f0 },
      { image: '/src/crashme', function: 'main' },
    ],
  });
  assert.equal(linux.failureName, 'NULL_POINTER_SIGSEGV_crashme!game::Inventory::CountOf');
  assert.equal(linux.symbol, 'crashme!game::Inventory::CountOf');
  const division = { signal: 'SIGFPE', signalDetail: 1, address: 0x1653n };
  assert.equal(
    named(division, { frames: [{ image: 'crashme', function: 'DivideScore(int, int)' }] }),
    'INTEGER_DIVIDE_BY_ZERO_SIGFPE_crashme!DivideScore',
  );
});

test('access violations are classed by what was tried and where', () => {
  const at = (kind: bigint, address: bigint) => named({ code: 0xc0000005, parameters: [kind, address] });
  assert.equal(at(0n, 0n), 'NULL_POINTER_READ_c0000005_game.exe!Play');
  assert.equal(at(1n, 0n), 'NULL_POINTER_WRITE_c0000005_game.exe!Play');
  assert.equal(at(0n, 1n), 'NULL_CLASS_PTR_READ_c0000005_game.exe!Play');
  assert.equal(at(1n, 0xffffn), 'NULL_CLASS_PTR_WRITE_c0000005_game.exe!Play');
  assert.equal(at(0n, 0x10000n), 'INVALID_POINTER_READ_c0000005_game.exe!Play');
  assert.equal(at(1n, 0xffffffffffffffffn), 'INVALID_POINTER_WRITE_c0000005_game.exe!Play');
  assert.equal(at(8n, 0n), 'SOFTWARE_NX_FAULT_c0000005_game.exe!Play');
  assert.equal(at(5n, 0n), 'APPLICATION_FAULT_c0000005_game.exe!Play');
  assert.equal(named({ code: 0xc0000005 }), 'APPLICATION_FAULT_c0000005_game.exe!Play');
});

test('other exceptions are classed by a table', () => {
  const heads: readonly (readonly [ExceptionFacts, string])[] = [
    [{ code: 0x80000003 }, 'BREAKPOINT_80000003'],
    [{ code: 0xc0000094 }, 'INTEGER_DIVIDE_BY_ZERO_c0000094'],
    [{ code: 0xc00000fd }, 'STACK_OVERFLOW_c00000fd'],
    [{ code: 0xc0000374 }, 'HEAP_CORRUPTION_c0000374'],
    [{ code: 0xc0000409, parameters: [7n] }, 'FAIL_FAST_FATAL_APP_EXIT_c0000409'],
    [{ code: 0xc0000409, parameters: [0xffffn] }, 'FAIL_FAST_c0000409'],
    [{ code: 0xc0000409 }, 'FAIL_FAST_c0000409'],
    [{ code: 0xc0000602 }, 'FAIL_FAST_EXCEPTION_c0000602'],
    [{ code: 0x123 }, 'APPLICATION_FAULT_00000123'],
    [
      { code: 0xc0000374, class: 'HEAP_CORRUPTION_ACTIONABLE_DOUBLE_FREE' },
      'HEAP_CORRUPTION_ACTIONABLE_DOUBLE_FREE_c0000374',
    ],
    [{ code: 0xe0434352, parameters: [0xffffffff80131509n] }, 'CLR_EXCEPTION_80131509'],
    [
      { code: 0xe0434352, hresult: 0x80131509, class: 'System.InvalidOperationException' },
      'CLR_EXCEPTION_System.InvalidOperationException_80131509',
    ],
    [{ code: 0xe0434352, class: 'CLR_EXCEPTION' }, 'CLR_EXCEPTION_e0434352'],
    [{ code: 0xc000027b, hresult: 0x8000ffff }, 'STOWED_EXCEPTION_8000ffff'],
    [{ code: 0xc000027b, hresult: -2147418113 }, 'STOWED_EXCEPTION_8000ffff'],
    [{ code: 0xc000027b, parameters: [0x1c2d3e4f5a0n, 2n] }, 'STOWED_EXCEPTION_c000027b'],
    [{ signal: 'SIGABRT' }, 'ABORT_SIGABRT'],
    [{ signal: 'SIGSEGV', address: 0x18n }, 'NULL_POINTER_SIGSEGV'],
    [{ signal: 'SIGSEGV', address: 0x7fff0000n }, 'INVALID_POINTER_SIGSEGV'],
    [{ signal: 'SIGSEGV', address: 0n, signalDetail: 0x80 }, 'INVALID_POINTER_SIGSEGV'],
    [{ signal: 'SIGSEGV' }, 'APPLICATION_FAULT_SIGSEGV'],
    [{ signal: 'SIGBUS', address: 0x7fff0001n }, 'INVALID_POINTER_SIGBUS'],
    [{ signal: 'SIGFPE' }, 'APPLICATION_FAULT_SIGFPE'],
    [{ signal: 'SIGSEGV', class: 'STACK_OVERFLOW' }, 'STACK_OVERFLOW_SIGSEGV'],
    [{ class: 'OUT OF MEMORY' }, 'OUT_OF_MEMORY'],
    [{}, 'APPLICATION_FAULT'],
  ];
  for (const [exception, head] of heads) assert.equal(named(exception), `${head}_game.exe!Play`);
});

test('hangs and memory failures are named by the type of the event', () => {
  assert.equal(named({ code: 0xc0000005 }, { eventType: 'hang' }), 'APPLICATION_HANG_cfffffff_game.exe!Play');
  assert.equal(named({}, { eventType: 'memory' }), 'MEMORY_FAILURE_game.exe!Play');
  assert.equal(named({ signal: 'SIGABRT' }, { eventType: 'crash' }), 'ABORT_SIGABRT_game.exe!Play');
});

test('published names come out of their facts', () => {
  const name = (facts: FailureFacts) => nameFailure(facts).failureName;
  const wrapper = nameFailure({
    mode: 'um',
    exception: { code: 0x8013150a },
    frames: [{ image: 'StoreWrapper.ni.DLL', offset: 0x70475e55 }],
  });
  assert.equal(wrapper.failureName, 'APPLICATION_FAULT_8013150a_StoreWrapper.ni.DLL!70475e55');
  assert.equal(wrapper.symbol, 'storewrapper_ni!70475e55');
  assert.equal(
    name({ mode: 'um', exception: { code: 0xc0000005, parameters: [0n, 0x123456n] }, module: 'Gw.exe' }),
    'INVALID_POINTER_READ_c0000005_Gw.exe!Unknown',
  );
  assert.equal(
    name({
      mode: 'um',
      exception: { code: 0xc0000005, parameters: [8n, 0x50n] },
      frames: [
        { offset: 0x50 },
        { image: 'chrome_child.dll', function: 'void webrtc::PeerConnection::RemoveTrack(int)' },
      ],
    }),
    'SOFTWARE_NX_FAULT_c0000005_chrome_child.dll!webrtc::PeerConnection::RemoveTrack',
  );
  assert.equal(
    name({
      mode: 'km',
      exception: { bugCheck: 0xd1 },
      frames: [{ image: 'NETIO.SYS', function: 'StreamInvokeCalloutAndNormalizeAction' }],
    }),
    'AV_NETIO!StreamInvokeCalloutAndNormalizeAction',
  );
  assert.equal(
    name({
      mode: 'km',
      exception: { bugCheck: 0x139, bugCheckDetail: 0x1d, class: 'INVALID_BALANCED_TREE' },
      frames: [
        { image: 'nt', function: 'KeBugCheckEx' },
        { image: 'Driver.sys', offset: 0x77 },
      ],
    }),
    '0x139_1d_INVALID_BALANCED_TREE_Driver!unknown_function',
  );
  assert.equal(
    name({ mode: 'km', exception: { class: 'AV' }, frames: [{ image: 'fastboot.sys' }] }),
    'AV_fastboot!unknown_function',
  );
  assert.equal(
    name({ mode: 'km', exception: { bugCheck: 0x5a, bugCheckDetail: 0xc0000428 }, module: 'filecrypt.sys' }),
    '0x5a_c0000428_IMAGE_filecrypt.sys',
  );
  assert.equal(
    name({ mode: 'km', exception: { class: 'LKD_0x117' }, module: 'igdkmd64.sys' }),
    'LKD_0x117_IMAGE_igdkmd64.sys',
  );
  const nowhere = nameFailure({ mode: 'km', exception: { class: 'MEMORY_CORRUPTION_ONE_BIT' } });
  assert.deepEqual(nowhere, {
    failureName: 'MEMORY_CORRUPTION_ONE_BIT',
    symbol: '',
    version: 1,
    given: false,
  });
});

test('a given name wins; blanks and control characters go, 255 characters stay', () => {
  const kept = nameFailure({ mode: 'um', given: ' Mein Absturz!größe\u0000\n ', frames: play });
  assert.equal(kept.failureName, 'Mein Absturz!größe');
  assert.equal(kept.given, true);
  assert.equal(kept.symbol, 'game!Play');
  assert.equal(givenName('x'.repeat(300)), 'x'.repeat(255));
  assert.equal(givenName(`${'x'.repeat(254)}😀`), 'x'.repeat(254));
  assert.equal(givenName(' \t\n'), undefined);
  assert.equal(nameFailure({ mode: 'um', given: '\u0007', frames: play }).given, false);
});

test('exception codes are read from numbers and text', () => {
  const good: readonly (readonly [number | string, number])[] = [
    [0xc0000005, 0xc0000005],
    [-1073741819, 0xc0000005],
    ['0xC0000005', 0xc0000005],
    ['c0000005', 0xc0000005],
    ['-1073741819', 0xc0000005],
    ['0x1', 1],
  ];
  for (const [value, code] of good) assert.equal(exceptionCode(value), code, `${value}`);
  for (const value of [
    '',
    'SIGSEGV',
    '5',
    '0x100000000',
    '-4294967296',
    1.5,
    2 ** 32,
    Number.NaN,
    'c000000g',
  ]) {
    assert.equal(exceptionCode(value), undefined, `${value}`);
  }
});

test('random facts give the same clean name every time', () => {
  const dice = new Dice('failure names', 9);
  const text = () =>
    Array.from({ length: dice.whole(0, 200) }, () => String.fromCharCode(dice.whole(1, 0x2ff))).join('');
  const maybe = <Value>(make: () => Value): Value | undefined => (dice.chance(0.6) ? make() : undefined);
  const number = () => dice.pick([0xc0000005, 0xe0434352, 0xc000027b, 0xc0000409, dice.whole(0, 0xffffffff)]);
  for (let turn = 0; turn < 5000; turn += 1) {
    const facts: FailureFacts = {
      mode: dice.pick(['um', 'km'] as const),
      eventType: maybe(() => dice.pick(['crash', 'hang', 'memory', 'jse', text()])),
      module: maybe(text),
      exception: {
        code: maybe(number),
        parameters: maybe(() =>
          [BigInt(dice.whole(0, 9)), BigInt(dice.whole(0, 0x20000))].slice(dice.whole(0, 2)),
        ),
        hresult: maybe(number),
        signal: maybe(() => dice.pick(['SIGSEGV', 'SIGABRT', text()])),
        signalDetail: maybe(() => dice.whole(0, 0x80)),
        address: maybe(() => BigInt(dice.whole(0, 0x20000))),
        bugCheck: maybe(() => dice.whole(0, 0x200)),
        class: maybe(text),
      },
      frames: Array.from({ length: dice.whole(0, 4) }, () => ({
        image: maybe(text),
        function: maybe(text),
        offset: maybe(() => dice.whole(0, 0xffffffff)),
        found: maybe(() => dice.pick(['context', 'cfi', 'scan'] as const)),
      })),
    };
    const name = nameFailure(facts);
    assert.match(name.failureName, /^[A-Za-z0-9_.:$@?+,-]+(?:![A-Za-z0-9_.:$@?+,-]*)?$/);
    assert.ok(name.failureName.length <= 255);
    assert.equal(name.version, namingVersion);
    assert.deepEqual(nameFailure(structuredClone(facts)), name);
  }
});
