import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Dice } from '../../test/oracle/random.js';
import { functionName, imageName, withoutExtension } from './function-name.js';

const examples: readonly (readonly [string, string | undefined])[] = [
  ['game::Inventory::CountOf(game::Item const*)', 'game::Inventory::CountOf'],
  [
    'game::Inventory::Lookup(std::vector<game::Item const*, std::allocator<game::Item const*> > const&, unsigned long)',
    'game::Inventory::Lookup',
  ],
  ['DivideScore(int, int)', 'DivideScore'],
  ['main', 'main'],
  ['main.cold', 'main'],
  ['work.constprop.0.isra.1', 'work'],
  ['work.part.0.cold', 'work'],
  ['work(int) [clone .isra.0]', 'work'],
  ['work(int) [clone .constprop.0] [clone .cold]', 'work'],
  ['work [clone .cold.7]', 'work'],
  ['work(int) (.cold)', 'work'],
  ['wmain+0x1f', 'wmain'],
  ['wmain+31', 'wmain'],
  ['wmain:120', 'wmain'],
  ['wmain+0x1f [c:\\src\\main.cpp @ 12]', 'wmain'],
  ['static unsigned long long Store::size(void) const', 'Store::size'],
  ['char const *__cdecl Store::name(void)', 'Store::name'],
  ['int *table(void)', 'table'],
  ['int *Store::*member', 'Store::_member'],
  ['std::map<int, std::string> Store::all<int, char>(int)', 'Store::all_int,_char_'],
  ['(anonymous namespace)::helper(int)', '_anonymous_namespace_::helper'],
  ["void `anonymous namespace'::helper(int)", '_anonymous_namespace_::helper'],
  ["Store::`scalar deleting destructor'(unsigned int)", 'Store::_scalar_deleting_destructor_'],
  ['Store::~Store()', 'Store::_Store'],
  ['Store::operator()(int) const', 'Store::operator__'],
  ['bool Store::operator<(Store const&) const', 'Store::operator_'],
  ['std::ostream& operator<< <int>(std::ostream&, int)', 'operator____int_'],
  ['Store::operator->() const', 'Store::operator-_'],
  ['Store::operator std::string() const', 'Store::operator_std::string'],
  ['Store::operator bool() const', 'Store::operator_bool'],
  ['operator new(unsigned long)', 'operator_new'],
  ['operator new[](unsigned long)', 'operator_new__'],
  ['Store::operators(int)', 'Store::operators'],
  ['main::{lambda(int)#1}::operator()(int) const', 'main::_lambda_int__1_::operator__'],
  ['outer(int)::inner(char)', 'outer::inner'],
  ['run(int)::{lambda()#2}::operator()() const', 'run::_lambda___2_::operator__'],
  ['non-virtual thunk to Store::close()', 'Store::close'],
  ['content::CallbackScope::~CallbackScope', 'content::CallbackScope::_CallbackScope'],
  [
    'mojo::InterfacePtrState<content::mojom::URLLoaderClient,1>::Swap',
    'mojo::InterfacePtrState_content::mojom::URLLoaderClient,1_::Swap',
  ],
  [
    'rtc::functormessagehandler<bool,<lambda at ../../third_party/webrtc/pc/rtpsender.cc:109:22>>::onmessage',
    'rtc::functormessagehandler_bool,_lambda_at_.._.._third_party_webrtc_pc_rtpsender.cc:109:22__::onmessage',
  ],
  [
    'ContosoGame.GroupedItems+<ItemView_ItemClick>d__9.MoveNext',
    'ContosoGame.GroupedItems+_ItemView_ItemClick_d__9.MoveNext',
  ],
  ['System.Void Contoso.List`1.Add(T)', 'Contoso.List_1.Add'],
  ['main.(*Server).Serve', 'main.__Server_.Serve'],
  ['-[Store load:with:]', '-_Store_load:with:_'],
  ['?Open@Store@@QEAAXXZ', '?Open@Store@@QEAAXXZ'],
  ['Größe', 'Gr__e'],
  ['a😀b', 'a_b'],
  ['', undefined],
  ['  ', undefined],
  ['??', undefined],
  ['<name omitted>', undefined],
  ['()', '__'],
  ['(', '_'],
  ['broken(int, std::vector<', 'broken'],
];

test('functions lose return type, arguments, clones, offsets and lines', () => {
  for (const [text, name] of examples) assert.equal(functionName(text), name, text);
});

test('functions are at most 180 characters', () => {
  assert.equal(functionName('a'.repeat(500)), 'a'.repeat(180));
  assert.equal(functionName(`f${'<x>'.repeat(5000)}`)?.length, 180);
});

test('images are the last part of a path in their own spelling', () => {
  assert.equal(imageName('C:\\Program Files\\Contoso\\My Game.EXE'), 'My_Game.EXE');
  assert.equal(imageName('/usr/lib/x86_64-linux-gnu/libc.so.6'), 'libc.so.6');
  assert.equal(imageName('a!b.dll'), 'a_b.dll');
  assert.equal(imageName('/opt/'), undefined);
  assert.equal(imageName(' '), undefined);
  assert.equal(imageName('x'.repeat(5000))?.length, 100);
});

test('one extension goes, a leading dot stays', () => {
  assert.equal(withoutExtension('StoreWrapper.ni.DLL'), 'StoreWrapper.ni');
  assert.equal(withoutExtension('nt'), 'nt');
  assert.equal(withoutExtension('.sys'), '.sys');
});

test('any text gives a clean name in little time', () => {
  const dice = new Dice('function names', 5);
  const parts = [
    'operator',
    '(',
    ')',
    '<',
    '>',
    '[',
    ']',
    '{',
    '}',
    '`',
    "'",
    ' ',
    '::',
    'a',
    '.cold',
    '->',
    ':1',
    '+2',
  ];
  const started = performance.now();
  for (let turn = 0; turn < 20_000; turn += 1) {
    const text = Array.from({ length: dice.whole(0, 40) }, () =>
      dice.chance(0.9) ? dice.pick(parts) : String.fromCharCode(dice.whole(0, 0xffff)),
    ).join('');
    const name = functionName(text);
    if (name !== undefined) assert.match(name, /^[A-Za-z0-9_.:$@?+,-]{1,180}$/, JSON.stringify(text));
    assert.equal(functionName(text), name);
  }
  assert.ok(performance.now() - started < 20_000, 'slow names');
});

test('names made to be slow take no longer than others', () => {
  const of = (unit: string) => unit.repeat(4000 / unit.length);
  const hostile = [
    ' ',
    '.cold',
    '.cold.1',
    '()::',
    'a(b)::',
    ' [',
    ' (.a',
    '+1',
    ':1',
    'operator(',
    '`',
    '(',
  ];
  const time = (text: string) => {
    const started = process.cpuUsage();
    for (let turn = 0; turn < 200; turn += 1) functionName(`a${text}x`);
    const { user, system } = process.cpuUsage(started);
    return (user + system) / 200_000;
  };
  const slow = hostile.map((unit) => ({ unit, milliseconds: time(of(unit)) }));
  // A stack has 128 frames, a batch many stacks, and all of them are named where others wait.
  assert.deepEqual(
    slow.filter(({ milliseconds }) => milliseconds > 4),
    [],
  );
});
