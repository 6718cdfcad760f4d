/**
 * The system a dump was made on: processor and operating system, in the words that reports use for them.
 */
import type { DumpBytes } from './dump-bytes.js';

/** Processor families, spelt as reports print them. Contexts of the first three are read. */
export type Architecture = 'x64' | 'x86' | 'arm64' | 'arm' | 'ia64' | 'Unknown';

/** Kinds of operating systems that the format tells apart. */
export type OsKind = 'windows' | 'linux' | 'android' | 'macos' | 'ios' | 'other';

/** What the SystemInfo stream says. */
export interface SystemFacts {
  readonly architecture: Architecture;
  readonly kind: OsKind;
  /** The family as `osVersion` and `osName` print it: `Windows 10`, `Linux`; `Unknown` if it has no name. */
  readonly osName: string;
  /** The release inside the family as `osRelease` prints it: `Version 1607`, `Service Pack 1`, or `Unknown`. */
  readonly osRelease: string;
  /** Major, minor and build number as `osBuild` prints them: `10.0.10240`. */
  readonly osBuild: string;
  /** Service pack of Windows, build text of other systems; empty if there is none. */
  readonly servicePack: string;
  readonly processors: number;
}

const architectures: Readonly<Record<number, Architecture>> = {
  0: 'x86',
  5: 'arm',
  6: 'ia64',
  9: 'x64',
  10: 'x86', // x86 on 64-bit Windows
  12: 'arm64',
  32771: 'arm64', // Breakpad before Windows had a number for it
};

const kinds: Readonly<Record<number, OsKind>> = {
  1: 'windows',
  2: 'windows',
  33025: 'macos',
  33026: 'ios',
  33281: 'linux',
  33283: 'android',
};

const otherNames: Readonly<Record<OsKind, string>> = {
  windows: 'Unknown',
  linux: 'Linux',
  android: 'Android',
  macos: 'macOS',
  ios: 'iOS',
  other: 'Unknown',
};

const clients: Readonly<Record<string, string>> = {
  '5.1': 'Windows XP',
  '6.0': 'Windows Vista',
  '6.1': 'Windows 7',
  '6.2': 'Windows 8',
  '6.3': 'Windows 8.1',
};

const servers: Readonly<Record<string, string>> = {
  '6.0': 'Windows Server 2008',
  '6.1': 'Windows Server 2008 R2',
  '6.2': 'Windows Server 2012',
  '6.3': 'Windows Server 2012 R2',
};

/** Servers since version 10 are told apart by their build alone. */
const serverBuilds: Readonly<Record<number, string>> = {
  14393: 'Windows Server 2016',
  16299: 'Windows Server 1709',
  17134: 'Windows Server 1803',
  17763: 'Windows Server 2019',
  20348: 'Windows Server 2022',
  26100: 'Windows Server 2025',
};

/** Releases by build; the first of Windows 11 spelt as the reports spell it. */
const releases: Readonly<Record<number, string>> = {
  10240: 'Version 1507',
  10586: 'Version 1511',
  14393: 'Version 1607',
  15063: 'Version 1703',
  16299: 'Version 1709',
  17134: 'Version 1803',
  17763: 'Version 1809',
  18362: 'Version 1903',
  18363: 'Version 1909',
  19041: 'Version 2004',
  19042: 'Version 20H2',
  19043: 'Version 21H1',
  19044: 'Version 21H2',
  19045: 'Version 22H2',
  22000: 'Version 2110',
  22621: 'Version 22H2',
  22631: 'Version 23H2',
  26100: 'Version 24H2',
};

/** Reads the SystemInfo stream; `file` holds the text it points at. */
export function readSystem(file: DumpBytes, stream: DumpBytes): SystemFacts {
  const [major, minor, build] = [stream.u32(8), stream.u32(12), stream.u32(16)];
  const kind = kinds[stream.u32(20)] ?? 'other';
  const textAt = stream.u32(24);
  const servicePack = textAt === 0 ? '' : file.text(textAt, 'the service pack').trim();
  const names =
    kind === 'windows'
      ? windows({ server: stream.u8(7) > 1, major, minor, build, servicePack })
      : { osName: otherNames[kind], osRelease: 'Unknown' };
  return {
    architecture: architectures[stream.u16(0)] ?? 'Unknown',
    kind,
    ...names,
    osBuild: `${major}.${minor}.${build}`,
    servicePack,
    processors: stream.u8(6),
  };
}

function windows(of: { server: boolean; major: number; minor: number; build: number; servicePack: string }): {
  osName: string;
  osRelease: string;
} {
  if (of.major !== 10) {
    const osName = (of.server ? servers : clients)[`${of.major}.${of.minor}`] ?? 'Unknown';
    return { osName, osRelease: /^Service Pack \d$/.test(of.servicePack) ? of.servicePack : 'Unknown' };
  }
  if (of.server) {
    const osName = serverBuilds[of.build] ?? 'Unknown';
    const semiannual = osName === 'Windows Server 1709' || osName === 'Windows Server 1803';
    return { osName, osRelease: semiannual ? 'RTM' : (releases[of.build] ?? 'Unknown') };
  }
  const osName = of.build >= 22000 ? 'Windows 11' : 'Windows 10';
  return { osName, osRelease: releases[of.build] ?? 'Unknown' };
}
