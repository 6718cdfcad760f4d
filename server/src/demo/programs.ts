/**
 * What crashes in the demo: the publisher's programs with their functions, and the failures that they are known for.
 * Plain data; the few failures at the head of each list make most of the events, as is usual.
 */

/** How a program was stopped, with what Windows says of it. */
export interface Trouble {
  readonly code: number;
  /** What failures are named after this are called. */
  readonly class: string;
  readonly parameters: readonly bigint[];
}

const accessViolation = 0xc0000005;

const troubles = {
  nullRead: { code: accessViolation, class: 'NULL_CLASS_PTR_READ', parameters: [0n, 0x28n] },
  nullWrite: { code: accessViolation, class: 'NULL_CLASS_PTR_WRITE', parameters: [1n, 0x10n] },
  wildRead: { code: accessViolation, class: 'INVALID_POINTER_READ', parameters: [0n, 0x2a4_7be1_9e58n] },
  wildWrite: { code: accessViolation, class: 'INVALID_POINTER_WRITE', parameters: [1n, 0x1f0_55c8_0120n] },
  divide: { code: 0xc0000094, class: 'INTEGER_DIVIDE_BY_ZERO', parameters: [] },
  overflow: { code: 0xc00000fd, class: 'STACK_OVERFLOW', parameters: [] },
  heap: { code: 0xc0000374, class: 'HEAP_CORRUPTION', parameters: [] },
  abort: { code: 0xc0000409, class: 'FAIL_FAST_FATAL_APP_EXIT', parameters: [7n] },
  thrown: { code: 0xe06d7363, class: 'APPLICATION_FAULT', parameters: [] },
} as const satisfies Readonly<Record<string, Trouble>>;

/** A failure that comes up again and again. */
export interface KnownFailure {
  /** Undefined for a program that stopped answering, of which there is no dump. */
  readonly trouble: Trouble | undefined;
  /** Innermost first: functions of the program, or `image+offset` in one of Windows. */
  readonly calls: readonly string[];
  /** Share among the program's failures on a plain day. */
  readonly weight: number;
  /** Came with a bad release and goes with its fix; the weight is that of its worst day. */
  readonly broken?: true;
}

/** A function of a program. */
export interface ProgramFunction {
  readonly name: string;
  /** Path below the program's sources. */
  readonly file: string;
  readonly line: number;
}

/** A program with symbols. */
export interface Program {
  readonly productId: string;
  /** File name of the image; its debug file has the same one with `.pdb`. */
  readonly image: string;
  /** As Breakpad spells it: a GUID without hyphens and the age. */
  readonly debugId: string;
  /** Start of the package's full name. */
  readonly packageName: string;
  /** Failures of a plain day. */
  readonly failures: number;
  readonly functions: readonly ProgramFunction[];
  readonly known: readonly KnownFailure[];
}

const raise = 'KERNELBASE.dll+0x2c6f9';
const abort = 'ucrtbase.dll+0x7286e';
const wait = 'ntdll.dll+0x9d5a4';

/** Functions as `file: name line, name line`. */
function functions(...files: readonly string[]): readonly ProgramFunction[] {
  return files.flatMap((text) => {
    const [file = '', list = ''] = text.split(': ');
    return list.split(', ').map((entry) => {
      const [name = '', line = ''] = entry.split(' ');
      return { name, file, line: Number(line) };
    });
  });
}

function known(
  weight: number,
  trouble: keyof typeof troubles | 'hang',
  calls: string,
  broken?: 'broken',
): KnownFailure {
  return {
    trouble: trouble === 'hang' ? undefined : troubles[trouble],
    calls: calls.split(' '),
    weight,
    ...(broken && { broken: true }),
  };
}

/** The three apps' programs in the order of the apps, then that of the desktop product. */
export const programs: readonly Program[] = [
  {
    productId: '9PKSTRLKRT02',
    image: 'KestrelKart.exe',
    debugId: '3F9A1C27D04B4E8E9B6215C7A80DE4411',
    packageName: 'TernTide.KestrelKart',
    failures: 5,
    functions: functions(
      'game\\main.cpp: wmain 31, kart::Game::Run 88, kart::Game::Tick 131',
      'game\\track.cpp: kart::Track::LoadSegment 204, kart::Track::SegmentAt 61, kart::Track::Stream 262',
      'game\\race.cpp: kart::Race::Update 140, kart::Race::RankOf 311, kart::Race::Finish 402',
      'game\\ghost.cpp: kart::Ghost::Replay 97, kart::Ghost::Load 43',
      'audio\\mixer.cpp: kart::audio::Mixer::Fill 118, kart::audio::Mixer::Play 75',
      'render\\particles.cpp: kart::render::Particles::Emit 167, kart::render::Frame::Draw 240',
      'net\\lobby.cpp: kart::net::Lobby::OnMessage 189, kart::net::Lobby::Poll 77',
      'shop\\shop.cpp: kart::Shop::Redeem 150, kart::Shop::Open 52',
    ),
    known: [
      known(
        34,
        'nullRead',
        'kart::Track::LoadSegment kart::Track::Stream kart::Race::Update kart::Game::Tick',
      ),
      known(19, 'wildRead', 'kart::Ghost::Replay kart::Race::Update kart::Game::Tick'),
      known(90, 'nullWrite', 'kart::Race::Finish kart::Race::Update kart::Game::Tick', 'broken'),
      known(11, 'divide', 'kart::Race::RankOf kart::Race::Update kart::Game::Tick'),
      known(9, 'hang', `${wait} kart::net::Lobby::Poll kart::Game::Tick`),
      known(7, 'thrown', `${raise} kart::Shop::Redeem kart::Shop::Open kart::Game::Tick`),
      known(6, 'wildWrite', 'kart::render::Particles::Emit kart::render::Frame::Draw kart::Game::Tick'),
      known(4, 'abort', `${abort} kart::net::Lobby::OnMessage kart::net::Lobby::Poll kart::Game::Tick`),
      known(3, 'nullRead', 'kart::audio::Mixer::Fill kart::audio::Mixer::Play kart::Game::Tick'),
      known(2, 'heap', 'ntdll.dll+0xf4a39 kart::Ghost::Load kart::Race::Update kart::Game::Tick'),
      known(
        1.5,
        'overflow',
        'kart::Track::SegmentAt kart::Track::SegmentAt kart::Track::SegmentAt kart::Game::Tick',
      ),
      known(1, 'nullWrite', 'kart::audio::Mixer::Play kart::Game::Tick'),
    ],
  },
  {
    productId: '9PHBRNOTES01',
    image: 'HarbourNotes.exe',
    debugId: '81B04E6A5C7D4F1392E8A6F0337C9D251',
    packageName: 'TernTide.HarbourNotes',
    failures: 3.4,
    functions: functions(
      'notes\\main.cpp: wmain 24, notes::App::Run 66',
      'notes\\editor.cpp: notes::Editor::Paste 301, notes::Editor::OnKey 122, notes::Editor::Undo 355',
      'notes\\document.cpp: notes::Document::Save 210, notes::Document::Merge 274, notes::Document::LineAt 58',
      'sync\\client.cpp: notes::sync::Client::Pull 143, notes::sync::Client::Apply 198',
      'ink\\strokes.cpp: notes::ink::Strokes::Smooth 92',
    ),
    known: [
      known(30, 'wildRead', 'notes::Document::LineAt notes::Editor::Paste notes::Editor::OnKey'),
      known(
        70,
        'thrown',
        `${raise} notes::Document::Merge notes::sync::Client::Apply notes::sync::Client::Pull`,
        'broken',
      ),
      known(16, 'hang', `${wait} notes::Document::Save`),
      known(12, 'nullRead', 'notes::Editor::Undo notes::Editor::OnKey'),
      known(7, 'abort', `${abort} notes::sync::Client::Pull`),
      known(4, 'divide', 'notes::ink::Strokes::Smooth notes::Editor::OnKey'),
      known(2, 'heap', 'ntdll.dll+0xf4a39 notes::Editor::Paste notes::Editor::OnKey'),
      known(1, 'nullWrite', 'notes::sync::Client::Apply notes::sync::Client::Pull'),
    ],
  },
  {
    productId: '9PLUMENDRW03',
    image: 'LumenDraw.exe',
    debugId: 'C25D7780AA1E4B06B3F94D18E6520F7B1',
    packageName: 'TernTide.LumenDraw',
    failures: 2.2,
    functions: functions(
      'draw\\main.cpp: wmain 19, draw::App::Run 71',
      'draw\\canvas.cpp: draw::Canvas::Composite 233, draw::Canvas::Resize 164, draw::Canvas::TileAt 47',
      'draw\\brush.cpp: draw::Brush::Stamp 118, draw::Brush::Stroke 86',
      'draw\\export.cpp: draw::Export::Png 140',
    ),
    known: [
      known(26, 'wildWrite', 'draw::Brush::Stamp draw::Brush::Stroke'),
      known(60, 'nullRead', 'draw::Canvas::TileAt draw::Canvas::Composite', 'broken'),
      known(14, 'abort', `${abort} draw::Canvas::Resize`),
      known(8, 'hang', `${wait} draw::Export::Png`),
      known(5, 'wildRead', 'draw::Canvas::Composite'),
      known(2, 'divide', 'draw::Canvas::Resize'),
    ],
  },
  {
    productId: '10238467401000020417',
    image: 'HarbourSync.exe',
    debugId: '5E0C93D8F1264A7FA04B7729C1E3B86A1',
    packageName: '',
    failures: 1.6,
    functions: functions(
      'sync\\service.cpp: wmain 40, hsync::Service::Run 95',
      'sync\\watcher.cpp: hsync::Watcher::OnChange 133, hsync::Watcher::Wait 61',
      'sync\\upload.cpp: hsync::Upload::Next 178, hsync::Upload::Chunk 88',
    ),
    known: [
      known(22, 'nullRead', 'hsync::Watcher::OnChange hsync::Watcher::Wait'),
      known(12, 'thrown', `${raise} hsync::Upload::Next`),
      known(6, 'hang', `${wait} hsync::Watcher::Wait`),
      known(4, 'wildRead', 'hsync::Upload::Chunk hsync::Upload::Next'),
      known(1, 'overflow', 'hsync::Watcher::Wait hsync::Watcher::Wait hsync::Watcher::Wait'),
    ],
  },
];

/** How every stack of these programs ends: the loop, the program's first function, and those of Windows before it. */
export function callsOf(program: Program, failure: KnownFailure): readonly string[] {
  const [first = '', loop = ''] = program.functions.map(({ name }) => name);
  return [...failure.calls, loop, first, 'KERNEL32.DLL+0x17344', 'ntdll.dll+0x526b1'];
}

/** The driver. Its failures are named by who sends them, as those that analyse kernel dumps do. */
export const driver = {
  productId: '14210560882031477',
  image: 'tidewaud.sys',
  failures: 2.6,
  known: [
    {
      name: 'AV_tidewaud!TwStream::FillBuffer',
      bugCheck: 0xd1,
      frames: 'tidewaud.sys!TwStream::FillBuffer',
      weight: 26,
    },
    {
      name: '0x9f_3_POWER_DOWN_tidewaud!TwPower::Wait',
      bugCheck: 0x9f,
      frames: 'tidewaud.sys!TwPower::Wait',
      weight: 12,
    },
    {
      name: '0x139_3_CORRUPT_LIST_ENTRY_tidewaud!TwQueue::Remove',
      bugCheck: 0x139,
      frames: 'tidewaud.sys!TwQueue::Remove',
      weight: 7,
    },
    {
      name: '0xc4_91_VRF_tidewaud!TwAdapter::Start',
      bugCheck: 0xc4,
      frames: 'tidewaud.sys!TwAdapter::Start',
      weight: 3,
    },
    { name: '0x50_IMAGE_tidewaud.sys', bugCheck: 0x50, frames: 'tidewaud.sys', weight: 1.5 },
  ],
} as const;
