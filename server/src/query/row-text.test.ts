import assert from 'node:assert/strict';
import { test } from 'node:test';
import { printed, rowTemplate } from './row-text.js';

test('texts are JSON and decimals have a fraction before the template prints them', () => {
  const market = { name: 'market', type: 'text', nullable: false } as const;
  const cabType = { name: 'cabType', type: 'text', nullable: true } as const;
  const hits = { name: 'hits', type: 'integer', nullable: false } as const;
  const spend = { name: 'spend', type: 'decimal', nullable: false } as const;
  assert.equal(printed('g.market', market), 'toJSONString(g.market)');
  assert.equal(printed('g.cabType', cabType), "if(g.cabType = '', 'null', toJSONString(g.cabType))");
  assert.equal(printed('g.hits', hits), 'g.hits');
  assert.match(printed('g.spend', spend), /concat\(toString\(g\.spend\), '\.0'\)/);
  assert.equal(
    rowTemplate([market, hits, spend]),
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the engine's placeholders
    '{"market":${market:Raw},"hits":${hits:JSON},"spend":${spend:Raw}}',
  );
});
