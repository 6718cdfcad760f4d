/** Parquet files as batches, on a server as in this process. */
import '../ingest/parquet.test.js';
