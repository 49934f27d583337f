-- Nobody asks for rows by what their packets are: to keep statistics of it (which elements an array has, how wide a
-- payload is) took half a second of processor time whenever a table had grown by a tenth.

ALTER TABLE segments
  ALTER COLUMN sequences SET STATISTICS 0,
  ALTER COLUMN timestamps SET STATISTICS 0,
  ALTER COLUMN sizes SET STATISTICS 0,
  ALTER COLUMN payload SET STATISTICS 0;
ALTER TABLE journal_entries
  ALTER COLUMN calls SET STATISTICS 0,
  ALTER COLUMN tracks SET STATISTICS 0,
  ALTER COLUMN sequences SET STATISTICS 0,
  ALTER COLUMN timestamps SET STATISTICS 0,
  ALTER COLUMN payloads SET STATISTICS 0;
ALTER TABLE tracks ALTER COLUMN received SET STATISTICS 0;
