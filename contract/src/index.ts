/** The contract as data: reports, datasets, errors and body shapes. Types and constants only. */
export * from './dataset.js';
export * from './errors.js';
export * from './report.js';
export * from './wire.js';
