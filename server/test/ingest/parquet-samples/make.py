"""Makes the files beside it: three hundred acquisitions as other programs write them (pyarrow 25, DuckDB 1.5)."""
import datetime, pyarrow as pa, pyarrow.parquet as pq

def column(values):
    return [values[i % len(values)] for i in range(300)]

def table(**changed):
    start = datetime.datetime(2024, 2, 1, tzinfo=datetime.timezone.utc)
    columns = {
        'timestamp': pa.array([start + datetime.timedelta(seconds=i) for i in range(300)], pa.timestamp('ms', 'UTC')),
        'applicationId': column(['9NBLGGGZ5QDR', '9nblgggz5qdr', '9WZDNCRDABCD']),
        'userId': [f'user {i}' for i in range(300)],
        'market': column([None, 'US', 'de', '']),
        'deviceType': column(['pc', 'Phone', None, 'something new']),
        'gender': column(['M', 'f', 'ü']),
        'customCampaignId': column([None, None, 'spring', 'spring']),
        'channelType': column([None, 'store traffic', 'Mouth']),
        'quantity': column([1, 2, 3, 4, 5]),
    }
    return pa.table({**columns, **changed})

pq.write_table(table(), 'pyarrow-snappy.parquet', row_group_size=120)
pq.write_table(table(), 'pyarrow-zstd-v2.parquet', compression='zstd', data_page_version='2.0', data_page_size=100)
pq.write_table(table(), 'pyarrow-gzip.parquet', compression='gzip', store_schema=False)
pq.write_table(table(), 'pyarrow-brotli.parquet', compression='brotli', store_schema=False)
pq.write_table(table(), 'pyarrow-lz4.parquet', compression='lz4', store_schema=False)
pq.write_table(table(), 'pyarrow-plain.parquet', compression='none', use_dictionary=False, store_schema=False)
# A dictionary may hold what no row has.
devices = pa.DictionaryArray.from_arrays(pa.array([i % 2 for i in range(300)]), ['pc', 'Phone', 'x' * 5000])
pq.write_table(table(deviceType=devices), 'pyarrow-unused.parquet', compression='zstd', store_schema=False)
# What no longer finds room in the dictionary stands in the pages behind it: here a text that is too long.
markets = [f'M{i}' for i in range(299)] + ['x' * 5000]
pq.write_table(table(market=markets), 'pyarrow-overflow.parquet', compression='zstd', dictionary_pagesize_limit=500,
               data_page_size=200, write_batch_size=50, store_schema=False)
