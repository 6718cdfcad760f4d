/** Mirrored rows and their source asked at length: `npm run test:long`. */
process.env.STORELENS_TEST_ROUNDS ??= '600';
await import('../mirror/answers.test.js');
