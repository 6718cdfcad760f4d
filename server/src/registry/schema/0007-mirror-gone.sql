-- When the source was found to have a day, a stack or a file no more, or never to have had it, in milliseconds; null while
-- it may come. error then says what was told, failed_at is null.
ALTER TABLE mirror_days ADD COLUMN gone_at BIGINT;
