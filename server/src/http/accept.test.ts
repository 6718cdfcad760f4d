import assert from 'node:assert/strict';
import { test } from 'node:test';
import { acceptedBy } from './accept.js';

test('whoever does not ask for another form by name gets pages of JSON', () => {
  for (const header of [
    undefined,
    '',
    '*/*',
    'application/json',
    'application/*',
    'application/json; charset=utf-8',
    'application/json, text/plain, */*',
    'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8',
    'text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2',
    'text/html, */*; q=0.5',
    'nonsense',
    'text/csv;q=2',
    'application/json, text/csv',
    'text/csv;q=0.5, application/json',
    'text/*;q=0.5, */*',
  ]) {
    assert.equal(acceptedBy(header), 'page', header);
  }
});

test('a form is chosen by its weight, then by how closely and how early it is named', () => {
  const forms = {
    'text/csv': 'csv',
    'TEXT/CSV; charset=utf-8': 'csv',
    'text/*': 'csv',
    'text/csv; raw=true': 'raw-csv',
    'text/csv;Raw="true";q=0.9': 'raw-csv',
    'text/csv;raw=false': 'csv',
    'text/csv, */*': 'csv',
    '*/*, text/csv': 'csv',
    'text/csv, application/json': 'csv',
    'application/json;q=0.5, text/csv': 'csv',
    'application/x-ndjson': 'ndjson',
    'application/x-ndjson, text/csv': 'ndjson',
    'text/csv;q=0.3, application/x-ndjson;q=0.4, */*;q=0.1': 'ndjson',
    'application/vnd.apache.parquet': 'parquet',
    'application/*, application/json;q=0': 'ndjson',
    'text/plain, application/vnd.apache.parquet;q=0.001': 'parquet',
    'text/csv;x="a, application/json;q=1"': 'csv',
  };
  for (const [header, form] of Object.entries(forms)) assert.equal(acceptedBy(header), form, header);
});

test('nothing that there is: the default', () => {
  for (const header of [
    'image/png',
    'text/html',
    'application/xml;q=0.9',
    '*/*;q=0',
    'text/csv;q=0, text/plain',
  ]) {
    assert.equal(acceptedBy(header), 'page', header);
  }
});
