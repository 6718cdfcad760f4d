/** What customers of the demo write and what the publisher answers. Plain data; `{app}` and `{version}` are filled in. */

/** Titles and texts by stars. */
export const praise: Readonly<Record<4 | 5, readonly (readonly [title: string, text: string])[]>> = {
  5: [
    ['Love it', 'Best app of its kind that I have tried. {app} just works.'],
    ['Daily companion', 'I use {app} every day and it has never let me down.'],
    ['Great update', 'Version {version} is noticeably faster. Great work!'],
    ['Worth every cent', 'Small download, no nonsense, great support. Thank you.'],
    ['Exactly what I needed', 'Simple, quick and nice to look at. My kids love {app} too.'],
    ['Five stars', 'Does what it says. Works great with touch and pen.'],
  ],
  4: [
    ['Very good', 'Nearly perfect. A dark theme would make it five stars.'],
    ['Good with small flaws', 'Great app, but it starts a little slowly on my older tablet.'],
    ['Solid', 'I like {app} a lot. The ads could be fewer.'],
    ['Recommended', 'Good value. Please add keyboard shortcuts.'],
  ],
};

/** Titles and texts of the middle. */
export const doubt: readonly (readonly [title: string, text: string])[] = [
  ['It is fine', 'Does the job, but other apps offer more for the price.'],
  ['Mixed feelings', 'Nice idea, yet some menus are hard to find.'],
  ['Was better before', 'I preferred the layout of the older versions of {app}.'],
];

/** Complaints on plain days. */
export const grumbles: readonly (readonly [title: string, text: string])[] = [
  ['Not for me', 'Too many steps for a simple task.'],
  ['Ads', 'Too many ads between everything.'],
  ['Slow on my device', 'Takes ages to start on my phone. Uninstalled.'],
  ['Lost my settings', 'After moving to a new computer my settings were gone.'],
];

/** Complaints after a bad release. */
export const outrage: readonly (readonly [title: string, text: string])[] = [
  ['Broken since the update', '{app} closes by itself since version {version}. Please fix!'],
  ['Crashes on start', 'Since {version} it crashes before I can open anything. It was great before.'],
  ['Do not update', 'Version {version} does not start at all on my machine.'],
  ['What happened?', 'The last update made {app} unusable. One star until this is fixed.'],
];

/** Answers of the publisher on plain days. */
export const answers: readonly string[] = [
  'Thank you for telling us. We have put this on our list.',
  'Thank you! Please write to support@ternandtide.example and we will look into it with you.',
  'Thanks for the honest words. The next version improves exactly this.',
];

/** Answers of the publisher after a bad release. */
export const apologies: readonly string[] = [
  'We are sorry. We have found the fault in {version} and an update is on its way.',
  'You are right, {version} should not have left the house like this. The fixed version is being rolled out.',
];

/** Models of computers and what is known of them: RAM and storage in megabytes, resolution, touch, family. */
export const models: readonly (readonly [
  model: string,
  family: string,
  ram: number,
  storage: number,
  resolution: string,
  touch: boolean,
])[] = [
  ['Fabrik-Notebook 14', 'PC', 16_384, 512_000, '1920 x 1080', false],
  ['Fabrik-Slate 10', 'Tablet', 4_096, 64_000, '1280 x 800', true],
  ['Nordlicht-Tower 5', 'PC', 32_768, 1_024_000, '2560 x 1440', false],
  ['Nordlicht-Two-in-one', 'Tablet', 8_192, 256_000, '2160 x 1440', true],
  ['Office maker-Mini desk', 'PC', 8_192, 256_000, '1920 x 1080', false],
  ['Old maker-Box', 'PC', 2_048, 128_000, '1366 x 768', false],
];

/** The same of telephones. */
export const phoneModels: typeof models = [
  ['Kiesel-K4', 'Phone', 2_048, 16_000, '720 x 1280', true],
  ['Kiesel-K9', 'Phone', 3_072, 32_000, '1080 x 1920', true],
];
