/**
 * The made-up publisher of the demo: its products, what they cost and who its customers are. Plain data; any
 * likeness to a real company, product or id is accidental.
 */
import { type Table, table } from './chance.js';

/** Name of the demo tenant. */
export const publisherName = 'Tern & Tide Software';

/** Part of every seed: another text gives another publisher's year. */
export const demoSeed = 'storelens demo 1';

/** An add-on of a demo app. Prices are in cents of US dollars. */
export interface DemoAddon {
  readonly id: string;
  readonly name: string;
  readonly price: number;
  /** Share among the app's add-on sales. */
  readonly weight: number;
  /** Sold in one half of the app's 26-week season cycle only. */
  readonly season?: 0 | 1;
}

/** An advertising place inside a demo app. */
export interface DemoAdUnit {
  readonly id: string;
  readonly name: string;
  readonly provider: string;
  /** Ad requests on a plain day over all markets and devices. */
  readonly requests: number;
  /** Revenue of a thousand impressions, in cents. */
  readonly thousand: number;
}

/** An advertising campaign that the publisher pays for. */
export interface DemoCampaign {
  readonly id: string;
  /** Delivery lines. */
  readonly lines: readonly string[];
  readonly currency: string;
  /** Spend of a running day and line, in cents. */
  readonly budget: number;
  /** Runs in these weeks of a 13-week cycle; absent: always. */
  readonly weeks?: readonly [first: number, last: number];
}

/** A link with a campaign id of the publisher's own that brings visitors to the listing. */
export interface DemoLink {
  readonly campaignId: string;
  readonly referrer: string;
  /** Visits a day at the height of the run. */
  readonly visits: number;
  /** Runs in these weeks of a 13-week cycle. */
  readonly weeks: readonly [first: number, last: number];
}

/** A demo app and everything that shapes its numbers. */
export interface DemoApp {
  readonly id: string;
  readonly name: string;
  /** Listing visits of a plain day that no campaign brought. */
  readonly visits: number;
  /** Factor by weekday, Monday first. */
  readonly week: readonly number[];
  /** Factor by calendar month, January first. */
  readonly year: readonly number[];
  /** Share of signed-in visitors that acquire. */
  readonly conversion: number;
  /** Price in cents of US dollars; 0 is free. A priced app has a trial. */
  readonly price: number;
  /** Weeks between releases, and days by which its releases trail the first app's. */
  readonly release: readonly [weeks: number, offset: number];
  readonly devices: Table<'PC' | 'Phone' | 'Console' | 'IoT' | 'Holographic' | 'Unknown'>;
  /** Factor on the weight of some markets. */
  readonly markets: Readonly<Record<string, number>>;
  /** Add-on sales of a plain day. */
  readonly addonSales: number;
  readonly addons: readonly DemoAddon[];
  readonly adUnits: readonly DemoAdUnit[];
  readonly campaigns: readonly DemoCampaign[];
  readonly links: readonly DemoLink[];
}

/** The three apps, the first of which is the one that the ready line names. */
export const demoApps: readonly DemoApp[] = [
  {
    id: '9PKSTRLKRT02',
    name: 'Kestrel Kart',
    visits: 60,
    week: [0.84, 0.8, 0.82, 0.88, 1.12, 1.34, 1.2],
    year: [1.08, 0.92, 0.9, 0.92, 0.9, 1.02, 1.16, 1.1, 0.86, 0.9, 1.05, 1.4],
    conversion: 0.5,
    price: 0,
    release: [5, 9],
    devices: table(['PC', 46], ['Phone', 30], ['Console', 20], ['Unknown', 4]),
    markets: { BR: 2.2, MX: 1.8, JP: 1.5, KR: 1.8 },
    addonSales: 14,
    addons: [
      { id: '9PKRTADDON21', name: 'Coin purse', price: 99, weight: 46 },
      { id: '9PKRTADDON22', name: 'Coin chest', price: 499, weight: 24 },
      { id: '9PKRTADDON23', name: 'Season pass: Cliffs', price: 799, weight: 30, season: 0 },
      { id: '9PKRTADDON24', name: 'Season pass: Lagoons', price: 799, weight: 30, season: 1 },
      { id: '9PKRTADDON25', name: 'Starter helmet', price: 0, weight: 12 },
    ],
    adUnits: [
      { id: '10765921', name: 'Garage banner', provider: 'Made-up Ads', requests: 5200, thousand: 64 },
      { id: '10765922', name: 'Between races', provider: 'Made-up Ads', requests: 2600, thousand: 310 },
      { id: '10765923', name: 'Bonus video', provider: 'Sample Video', requests: 900, thousand: 890 },
    ],
    campaigns: [
      { id: '51002011', lines: ['0001'], currency: 'USD', budget: 800 },
      { id: '51002012', lines: ['0001', '0002', '0003'], currency: 'USD', budget: 1000, weeks: [4, 6] },
    ],
    links: [
      { campaignId: 'kk-stream-week', referrer: 'streams.example', visits: 46, weeks: [5, 5] },
      { campaignId: 'kk-forum-post', referrer: 'forum.example', visits: 12, weeks: [9, 12] },
    ],
  },
  {
    id: '9PHBRNOTES01',
    name: 'Harbour Notes',
    visits: 46,
    week: [1.2, 1.25, 1.22, 1.16, 1.0, 0.58, 0.59],
    year: [1.15, 1.05, 1.02, 0.98, 0.95, 0.88, 0.78, 0.86, 1.18, 1.1, 1.04, 0.92],
    conversion: 0.42,
    price: 0,
    release: [6, 0],
    devices: table(['PC', 78], ['Phone', 16], ['IoT', 1], ['Holographic', 1], ['Unknown', 4]),
    markets: { DE: 1.6, GB: 1.3, NL: 1.5, IN: 1.3 },
    addonSales: 7,
    addons: [
      { id: '9PHBRADDON11', name: 'Harbour Notes Plus', price: 1999, weight: 40 },
      { id: '9PHBRADDON12', name: 'Sync space 100 GB', price: 999, weight: 28 },
      { id: '9PHBRADDON13', name: 'Template shelf', price: 299, weight: 22 },
      { id: '9PHBRADDON14', name: 'Paper sounds', price: 0, weight: 10 },
    ],
    adUnits: [
      { id: '10765911', name: 'Sidebar card', provider: 'Made-up Ads', requests: 1400, thousand: 150 },
    ],
    campaigns: [
      { id: '51002001', lines: ['0001'], currency: 'EUR', budget: 500 },
      { id: '51002002', lines: ['0001', '0002'], currency: 'EUR', budget: 1100, weeks: [1, 3] },
    ],
    links: [
      { campaignId: 'hn-newsletter', referrer: 'newsletter.ternandtide.example', visits: 16, weeks: [0, 2] },
      { campaignId: 'hn-study-term', referrer: 'campus.example', visits: 26, weeks: [7, 9] },
    ],
  },
  {
    id: '9PLUMENDRW03',
    name: 'Lumen Draw',
    visits: 26,
    week: [0.94, 0.92, 0.93, 0.95, 0.98, 1.16, 1.12],
    year: [1.0, 0.95, 0.96, 0.98, 0.98, 0.94, 0.92, 0.96, 1.02, 1.02, 1.1, 1.3],
    conversion: 0.34,
    price: 999,
    release: [7, 23],
    devices: table(['PC', 82], ['Phone', 6], ['IoT', 1], ['Holographic', 7], ['Unknown', 4]),
    markets: { JP: 2.4, FR: 1.5, KR: 1.6, US: 1.1 },
    addonSales: 4,
    addons: [
      { id: '9PLUMADDON31', name: 'Ink and wash brushes', price: 399, weight: 38 },
      { id: '9PLUMADDON32', name: 'Comic panels', price: 499, weight: 30 },
      { id: '9PLUMADDON33', name: 'Animation timeline', price: 1499, weight: 32 },
    ],
    adUnits: [
      { id: '10765931', name: 'Gallery footer', provider: 'Made-up Ads', requests: 700, thousand: 92 },
    ],
    campaigns: [{ id: '51002021', lines: ['0001'], currency: 'USD', budget: 900, weeks: [10, 12] }],
    links: [{ campaignId: 'ld-art-month', referrer: 'gallery.example', visits: 18, weeks: [3, 6] }],
  },
];

/** The driver and the desktop product; their rows are failures. */
export const otherProducts = [
  { id: '14210560882031477', kind: 'driver', name: 'Tidewater Audio Driver' },
  { id: '10238467401000020417', kind: 'desktop', name: 'Harbour Sync for Desktop' },
] as const;

/** Markets with their weight: a few large ones and a long tail. */
// biome-ignore format: a table reads better in rows
export const markets: readonly (readonly [market: string, weight: number])[] = [
  ['US', 300], ['GB', 92], ['DE', 88], ['CN', 74], ['FR', 62], ['BR', 50], ['JP', 48], ['IN', 46],
  ['CA', 40], ['IT', 36], ['ES', 33], ['MX', 29], ['AU', 27], ['PL', 25], ['NL', 24], ['RU', 22],
  ['KR', 20], ['TR', 18], ['SE', 16], ['CH', 13], ['AR', 12], ['BE', 12], ['AT', 10], ['ID', 10],
  ['CZ', 9], ['PT', 8], ['DK', 8], ['NO', 8], ['FI', 7], ['TH', 7], ['VN', 6], ['CO', 6], ['CL', 6],
  ['ZA', 5], ['HU', 5], ['RO', 5], ['GR', 4], ['IE', 4], ['NZ', 4], ['IL', 4], ['SG', 4], ['MY', 4],
  ['PH', 4], ['UA', 4], ['EG', 3], ['SA', 3], ['AE', 3], ['PE', 3], ['HR', 2], ['SK', 2], ['BG', 2],
  ['LT', 1], ['EE', 1], ['IS', 1], ['KE', 1], ['UY', 1],
];
