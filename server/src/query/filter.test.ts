import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FilterError, type FilterTree, parseFilter } from './filter.js';

/** The tree with parentheses everywhere, to see how it was bound. */
function shape(tree: FilterTree): string {
  if (tree.kind === 'comparison')
    return `${tree.field} ${tree.operator} ${JSON.stringify(tree.literal.value)}`;
  return `(${tree.terms.map(shape).join(` ${tree.kind} `)})`;
}

const read: [string, string][] = [
  ["market eq 'US' and gender eq 'm'", '(market eq "US" and gender eq "m")'],
  ["a eq '1' or b eq '2' and c eq '3'", '(a eq "1" or (b eq "2" and c eq "3"))'],
  ["(a eq '1' or b eq '2') and c eq '3'", '((a eq "1" or b eq "2") and c eq "3")'],
  ['ageGroup ne \u2018less than 13\u2019', 'ageGroup ne "less than 13"'],
  ["reviewerName eq 'O''Brien'", 'reviewerName eq "O\'Brien"'],
  ["reviewerName eq ''", 'reviewerName eq ""'],
  [
    "CONTAINS(reviewText,'great') AND deviceRAM LT 2048",
    '(reviewText contains "great" and deviceRAM lt "2048")',
  ],
  ['isRevised eq TRUE', 'isRevised eq true'],
  ['deviceRAM ge -1.5', 'deviceRAM ge "-1.5"'],
  ["ageGroup ne '>55'", 'ageGroup ne ">55"'],
];
for (const [source, expected] of read) {
  test(`reads ${source}`, () => assert.equal(shape(parseFilter(source)), expected));
}

const refused: [string, RegExp][] = [
  ['', /position 1: expected a field name, got the end/],
  ['market', /position 7: expected one of eq, ne, gt, lt, ge, le after 'market', got the end/],
  ["market eq 'US", /position 11: the text that starts here has no closing quote/],
  ['market eq US', /position 11: expected a text in single quotes, a number, true or false, got 'US'/],
  ["market is 'US'", /position 8: expected one of/],
  ["(market eq 'US'", /position 16: expected a closing parenthesis, got the end/],
  ["market eq 'US' gender eq 'm'", /position 16: expected and, or, or the end, got 'gender'/],
  ["market eq 'US' and deviceType eq 'phone\u2019 eq 'US'; and gender eq 'm'", /position/],
  ["market eq 'US'; drop", /position 15: unexpected ';'/],
  [`${'('.repeat(51)}a eq 1${')'.repeat(51)}`, /more than 50 levels/],
  [Array(501).fill('a eq 1').join(' or '), /more than 500 comparisons/],
];
for (const [source, message] of refused) {
  test(`refuses ${source.slice(0, 60)}`, () =>
    assert.throws(
      () => parseFilter(source),
      (error) => error instanceof FilterError && message.test(error.message),
    ));
}

test('fifty levels and five hundred comparisons are read', () => {
  parseFilter(`${'('.repeat(50)}a eq 1${')'.repeat(50)}`);
  parseFilter(Array(500).fill('a eq 1').join(' or '));
});
