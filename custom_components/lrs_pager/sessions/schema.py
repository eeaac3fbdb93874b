"""The format of the session log's file."""

from typing import Final

SCHEMA: Final = """
-- One row per session, numbered in the order in which they came. ended_at is
-- PlacedSession.ended_at, the other columns are the fields of PlacedSession.
CREATE TABLE sessions (
  row INTEGER PRIMARY KEY,
  ended_at INTEGER NOT NULL,
  id INTEGER,
  uuid TEXT,
  number INTEGER,
  party_size INTEGER,
  goal INTEGER,
  clear_type TEXT,
  created TEXT,
  notified TEXT,
  cleared TEXT,
  created_at INTEGER,
  notified_at INTEGER,
  cleared_at INTEGER,
  wait INTEGER,
  response INTEGER,
  is_by_age INTEGER NOT NULL,
  quoted INTEGER,
  first_goal INTEGER
) STRICT;
CREATE INDEX sessions_by_end ON sessions (ended_at, row, number);
CREATE INDEX sessions_by_uuid ON sessions (uuid);
CREATE INDEX sessions_by_id ON sessions (id);

-- Small values that are kept with the log, as JSON.
CREATE TABLE state (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
"""

# The guests' names, by row of sessions; NULL where a name was taken off. They have a table of
# their own because old names must leave no trace in the file: see Database.blank_names.
NAMES: Final = "CREATE TABLE names (session INTEGER PRIMARY KEY, label TEXT) STRICT;"

# The version of the format (PRAGMA user_version). To change the format: change SCHEMA, count
# VERSION up, and add to MIGRATIONS, under the previous version's number, the SQL that brings a file
# of that version up to this one. Columns are only ever added, at the end: a file that can't be
# brought up to date, as it is damaged or the disk refuses, is still read (see database.unpack).
VERSION: Final = 2
MIGRATIONS: Final[dict[int, str]] = {
    1: """
ALTER TABLE sessions ADD COLUMN quoted INTEGER;
ALTER TABLE sessions ADD COLUMN first_goal INTEGER;
""",
}

# A commit writes whole pages: half of SQLite's usual size halves what a memory card is written.
# The file is locked for one process, so that no other can keep old names in the write-ahead log;
# SQLite then needs no shared memory either, which network file systems don't have.
BEFORE_READING: Final = """
PRAGMA page_size = 2048;
PRAGMA locking_mode = EXCLUSIVE;
PRAGMA synchronous = FULL;    -- what is committed is on the disk
PRAGMA secure_delete = ON;    -- what is deleted is overwritten
PRAGMA temp_store = MEMORY;   -- no name gets into a temporary file
PRAGMA cell_size_check = ON;  -- damaged pages are found early
"""
