/**
 * Failures of the apps, the desktop product and the driver: on devices of customers, some of them again and again;
 * more after a bad release, which brings a failure of its own until the fix. One failure of a product on some days
 * comes with a crash file if it is recent: those are uploaded, all others are rows.
 */
import { dayMs, dayOf, mood, type Release, release, rhythm, weekday } from './calendar.js';
import { Chance, type Table, table } from './chance.js';
import { iso, type Row } from './commerce.js';
import { framesOf, kernelDump, minidump } from './dump-writer.js';
import { driver, type KnownFailure, type Program, programs } from './programs.js';
import { type DemoApp, demoApps, markets } from './publisher.js';
import { moment, type Visit, type Visits } from './visits.js';

/** How many days back crash files reach. */
const crashFileDays = 30;

/** A failure. */
export interface FailureEvent {
  readonly at: number;
  /** The whole row, as it is ingested without a crash file. */
  readonly row: Row;
  /** The crash file and the row that goes with it; undefined if this failure never comes with one. */
  readonly upload: (() => { readonly event: Row; readonly file: Buffer }) | undefined;
  /** Names the failure among all of the demo's. */
  readonly id: string;
  /** Equal for all events of one known failure. */
  readonly known: object;
}

const models: Readonly<Record<string, Table<string>>> = {
  PC: table(
    ['Aurora Works-Slate 13', 30],
    ['Fabrikam-Tower 5', 24],
    ['Northwind-Book 15', 20],
    ['Fabrikam-Air 14', 14],
    ['Made to order-Desktop', 12],
  ),
  Phone: table(['Aurora Works-Pocket 2', 60], ['Northwind-Mini', 40]),
  Console: table(['Console', 100]),
  Unknown: table(['Unknown', 100]),
};

/** Builds by operating system. */
const builds: Readonly<Record<string, Table<readonly [build: string, release: string]>>> = {
  'Windows 11': table([['10.0.22631.3737', 'Version 23H2'], 60], [['10.0.22000.2899', 'Version 2110'], 40]),
  'Windows 10': table([['10.0.19045.4529', 'Version 22H2'], 80], [['10.0.17763.5936', 'Version 1809'], 20]),
  'Windows 8.1': table([['6.3.9600', 'Unknown'], 100]),
};
const otherBuilds = table<readonly [string, string]>([['10.0.15254.603', 'Version 1709'], 100]);

/** Who it happened to. */
interface Sufferer {
  readonly deviceId: string;
  readonly market: string;
  readonly deviceType: string;
  readonly osVersion: string;
}

/** A customer's device always has the same model and build. */
function device({ deviceId, deviceType, osVersion }: Sufferer, seed: string) {
  const chance = new Chance(`${seed}/device/${deviceId}`);
  const [osBuild, osRelease] = chance.pick(builds[osVersion] ?? otherBuilds);
  return {
    deviceModel: chance.pick(models[deviceType] ?? models.Unknown ?? table(['Unknown', 1])),
    osBuild,
    osRelease,
  };
}

const marketTable = table(...markets);

/** One of a product's devices; some few fail far more often than the others. */
function poolDevice(seed: string, productId: string, size: number, chance: Chance): Sufferer {
  const [one, two] = [chance.unit(), chance.unit()];
  const number = Math.floor(one * two * size);
  const own = new Chance(`${seed}/${productId}/pool/${number}`);
  return {
    deviceId: `d-${own.hex(12)}`,
    market: own.pick(marketTable),
    deviceType: 'PC',
    osVersion: own.happens(0.6) ? 'Windows 11' : 'Windows 10',
  };
}

/** The times of a failure: once, or several times within an hour on the same device and day. */
function timesFrom(at: number, chance: Chance): readonly number[] {
  const times = [at];
  const again = chance.happens(0.28) ? chance.whole(1, 4) : 0;
  for (let left = again; left > 0; left -= 1)
    times.push((times.at(-1) ?? at) + chance.whole(20_000, 900_000));
  return times.filter((time) => dayOf(time) === dayOf(at));
}

/** What a program's failures weigh on a day, by the state of its newest release. */
function failuresOf(program: Program, { broken }: Release, trouble: number): Table<KnownFailure> {
  return table(
    ...program.known.map((failure) => {
      const weight = failure.broken ? (broken ? failure.weight * trouble : 0) : failure.weight;
      return [failure, weight] as const;
    }),
  );
}

/** Products that are no apps: days between releases as for apps, and how often they are used by weekday. */
const others = {
  desktop: { release: [8, 40], week: [1.2, 1.2, 1.2, 1.1, 1, 0.5, 0.5] },
  driver: { release: [9, 12], week: [1, 1, 1, 1, 1, 0.9, 0.9] },
} as const;

function programEvents(
  { seed }: Visits,
  program: Program,
  calendar: Pick<DemoApp, 'release'>,
  rate: number,
  day: number,
  draw: (chance: Chance) => { readonly sufferer: Sufferer | undefined; readonly at: number },
): readonly FailureEvent[] {
  const chance = new Chance(`${seed}/${program.productId}/failures/${day}`);
  const newest = release(calendar, day);
  const trouble = 1 - mood(calendar, day);
  const weights = failuresOf(program, newest, trouble);
  const list: FailureEvent[] = [];
  for (let left = chance.count(program.failures * rate * (1 + 2.6 * trouble)); left > 0; left -= 1) {
    const { sufferer, at } = draw(chance);
    const failure = chance.pick(weights);
    // Old versions stay in use for a while; what came with the bad release is of that release.
    const old = !failure.broken && chance.happens(newest.age < 7 ? 0.55 : 0.2);
    const version = old ? newest.before : newest.version;
    for (const time of sufferer === undefined ? [] : timesFrom(at, chance)) {
      if (sufferer === undefined) continue;
      list.push(
        programEvent({ seed, program, failure, sufferer, version, at: time, number: list.length, day }),
      );
    }
  }
  return list;
}

interface Happened {
  readonly seed: string;
  readonly program: Program;
  readonly failure: KnownFailure;
  readonly sufferer: Sufferer;
  readonly version: string;
  readonly at: number;
  readonly number: number;
  readonly day: number;
}

const framesKnown = new Map<KnownFailure, readonly object[]>();

/** The frames of a failure as rows have them; they are always the same. */
function frameRows(program: Program, failure: KnownFailure): readonly object[] {
  const known = framesKnown.get(failure);
  if (known !== undefined) return known;
  const frames = framesOf(program, failure).map((frame) => ({
    image: frame.image,
    function: frame.function,
    offset: `0x${(frame.within ?? frame.offset).toString(16).toUpperCase()}`,
  }));
  framesKnown.set(failure, frames);
  return frames;
}

function programEvent(of: Happened): FailureEvent {
  const { seed, program, failure, sufferer, version, at } = of;
  const { trouble } = failure;
  const { deviceModel, osBuild, osRelease } = device(sufferer, seed);
  const phone = sufferer.deviceType === 'Phone';
  const desktop = !demoApps.some(({ id }) => id === program.productId);
  const id = `${program.productId}-${of.day}-${of.number}`;
  const event: Row = {
    timestamp: iso(at),
    source: desktop ? 'desktop' : 'app',
    applicationId: program.productId,
    deviceId: sufferer.deviceId,
    eventType: trouble === undefined ? 'hang' : 'crash',
    market: sufferer.market,
    deviceType: sufferer.deviceType,
    osVersion: sufferer.osVersion,
    osRelease,
    osBuild,
    architecture: phone ? 'arm' : 'x64',
    ...(desktop
      ? { applicationVersion: version, fileName: program.image }
      : {
          deviceModel,
          packageName: `${program.packageName}_${version}_${phone ? 'arm' : 'x64'}__q7t2n0x1yz8ag`,
          packageVersion: version,
        }),
  };
  const frames = frameRows(program, failure);
  const exception =
    trouble && ({ code: `0x${trouble.code.toString(16)}`, class: trouble.class } satisfies Row);
  return {
    at,
    id,
    known: failure,
    row: {
      ...event,
      ...(exception && { exception }),
      moduleName: program.image,
      moduleVersion: version,
      frames,
    },
    // The dumps are of x64. Without symbols of Windows, a stack that begins there is found by searching and named
    // after another function.
    upload:
      trouble && !phone && !failure.calls[0]?.includes('+')
        ? () => ({
            event,
            file: minidump({
              program,
              failure: { ...failure, trouble },
              time: at,
              version,
              osBuild,
              chance: new Chance(`${seed}/dump/${id}`),
            }),
          })
        : undefined,
  };
}

const suffererOf = (visit: Visit | undefined): Sufferer | undefined =>
  visit?.deviceId === undefined ? undefined : { ...visit, deviceId: visit.deviceId };

const drivers = table(...driver.known.map((known) => [known, known.weight] as const));
const rings = table(['Retail', 88], ['Release Preview', 6], ['Insider Slow', 4], ['Insider Fast', 2]);

function driverEvents({ seed }: Visits, day: number): readonly FailureEvent[] {
  const { productId, image } = driver;
  const calendar = others.driver;
  const chance = new Chance(`${seed}/${productId}/failures/${day}`);
  const newest = release(calendar, day);
  const rate = (calendar.week[weekday(day)] ?? 1) * (1 + 1.8 * (1 - mood(calendar, day)));
  const list: FailureEvent[] = [];
  for (let left = chance.count(driver.failures * rate); left > 0; left -= 1) {
    const sufferer = poolDevice(seed, productId, 420, chance);
    const { deviceModel, osBuild } = device(sufferer, seed);
    const [oemName = '', oemModel = ''] = deviceModel.split('-');
    const failure = chance.pick(drivers);
    const driverVersion = chance.happens(0.3) ? newest.before : newest.version;
    const at = day * dayMs + chance.whole(0, dayMs - 1);
    const flightRing = chance.pick(rings);
    const id = `${productId}-${day}-${list.length}`;
    const [, place = ''] = failure.frames.split('!');
    const row: Row = {
      timestamp: iso(at),
      source: 'driver',
      applicationId: productId,
      deviceId: sufferer.deviceId,
      eventType: 'System crash',
      failureName: failure.name,
      market: sufferer.market,
      deviceType: sufferer.deviceType,
      osVersion: osBuild,
      osName: sufferer.osVersion,
      architecture: 'x64',
      flightRing,
      oemName,
      oemModel,
      driverName: image,
      driverVersion,
      submissionId: `25604_${productId}_115292150462${10_000 + newest.number}`,
      moduleName: image,
      moduleVersion: driverVersion,
      mode: 'Kernel',
      frames: [
        { image: 'ntoskrnl.exe', function: 'KeBugCheckEx', offset: '0x0' },
        { image, ...(place !== '' && { function: place }), offset: place === '' ? '0x24C1' : '0x1D7' },
      ],
    };
    list.push({
      at,
      id,
      known: failure,
      row,
      upload: () => ({
        event: row,
        file: kernelDump({
          bugCheck: failure.bugCheck,
          osBuild: Number(osBuild.split('.')[2]),
          time: at,
          chance: new Chance(`${seed}/dump/${id}`),
        }),
      }),
    });
  }
  return list;
}

/** A product, and every how many days one of its failures comes with a file. */
interface Source {
  readonly every: number;
  readonly on: (visits: Visits, day: number) => readonly FailureEvent[];
}

const sources: readonly Source[] = [
  ...programs.map((program, index): Source => {
    const app = demoApps.find(({ id }) => id === program.productId);
    if (app !== undefined) {
      const on = (visits: Visits, day: number) =>
        programEvents(visits, program, app, rhythm(app, day), day, (chance) => ({
          sufferer: suffererOf(visits.earlier(app, day, chance)),
          at: day * dayMs + moment(chance, app),
        }));
      return { every: index + 1, on };
    }
    const { desktop } = others;
    const on = (visits: Visits, day: number) =>
      programEvents(visits, program, desktop, desktop.week[weekday(day)] ?? 1, day, (chance) => ({
        sufferer: poolDevice(visits.seed, program.productId, 260, chance),
        at: day * dayMs + chance.whole(0, dayMs - 1),
      }));
    return { every: 4, on };
  }),
  { every: 4, on: driverEvents },
];

/** The event that comes with a file: the day's first, or every other day the first of its most frequent failure. */
function filedOf(events: readonly FailureEvent[], day: number): FailureEvent | undefined {
  const able = events.filter(({ upload }) => upload !== undefined).sort((a, b) => a.at - b.at);
  if (day % 2 === 0) return able[0];
  const counts = new Map<object, number>();
  for (const { known } of able) counts.set(known, (counts.get(known) ?? 0) + 1);
  const most = Math.max(...counts.values());
  return able.find(({ known }) => counts.get(known) === most);
}

/** The failures of a day, and which of them come with a file if they are recent. */
function* failuresOn(visits: Visits, day: number): Generator<{ event: FailureEvent; filed: boolean }> {
  for (const { every, on } of sources) {
    const events = on(visits, day);
    const first = day % every === 0 ? filedOf(events, day) : undefined;
    for (const event of events) yield { event, filed: event === first };
  }
}

/** When failures with files begin, for a span that ends at a time. */
export function filedSince(to: number): number {
  return to - crashFileDays * dayMs;
}

/** All failures of a span (`from` included, `to` not), with a file or without. */
export function* failureEvents(
  visits: Visits,
  { from, to }: { readonly from: number; readonly to: number },
): Generator<{ event: FailureEvent; filed: boolean }> {
  const recent = filedSince(to);
  for (let day = dayOf(from); day * dayMs < to; day += 1) {
    for (const { event, filed } of failuresOn(visits, day)) {
      if (event.at >= from && event.at < to) yield { event, filed: filed && event.at >= recent };
    }
  }
}
