/** Servers killed many times while they store batches and crashes: `npm run test:long`. */
import { test } from 'node:test';
import { killWhileUploading } from '../crashes/kills.js';
import { killWhileWriting } from '../ingest/kills.js';
import { killsOfGroups } from '../ingest/made-kills.js';

const rounds = Number(process.env.STORELENS_TEST_ROUNDS ?? 40);

test(`${rounds} kills lose, double or halve no batch`, { timeout: 1_800_000 }, () =>
  killWhileWriting(rounds),
);
test(`${rounds} kills lose, double or orphan no crash`, { timeout: 1_800_000 }, () =>
  killWhileUploading(rounds),
);
killsOfGroups(rounds);
