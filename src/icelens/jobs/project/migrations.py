"""The tables of `icelens.db`, and how an older project gets those of today."""

import sqlite3

from icelens.core.errors import IcelensError

_FIRST = """
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
INSERT INTO facts VALUES ('revision', '0');
CREATE TABLE jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    job TEXT NOT NULL,
    task TEXT NOT NULL,
    title TEXT NOT NULL,
    state TEXT NOT NULL,
    cause TEXT NOT NULL DEFAULT '',
    remedy TEXT NOT NULL DEFAULT '',
    settings TEXT NOT NULL DEFAULT '{}',
    folder TEXT NOT NULL DEFAULT '',
    lane TEXT NOT NULL DEFAULT '',
    variables TEXT NOT NULL DEFAULT '{}',
    priority INTEGER NOT NULL DEFAULT 0,
    run_now INTEGER NOT NULL DEFAULT 0,
    is_cancelling INTEGER NOT NULL DEFAULT 0,
    origin TEXT NOT NULL DEFAULT 'queue',
    created TEXT NOT NULL,
    started TEXT,
    ended TEXT,
    removed TEXT,
    attempt INTEGER NOT NULL DEFAULT 0,
    tasks INTEGER NOT NULL DEFAULT 0,
    external_id TEXT NOT NULL DEFAULT '',
    launched REAL NOT NULL DEFAULT 0,
    beat TEXT NOT NULL DEFAULT '',
    beat_seen REAL NOT NULL DEFAULT 0,
    progress TEXT NOT NULL DEFAULT '',
    revision INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE waits (
    number INTEGER NOT NULL REFERENCES jobs (number),
    after INTEGER NOT NULL REFERENCES jobs (number),
    PRIMARY KEY (number, after)
);
CREATE INDEX jobs_by_state ON jobs (removed, state, number);
CREATE INDEX jobs_by_revision ON jobs (revision);
CREATE INDEX jobs_by_folder ON jobs (folder);
CREATE TRIGGER count_insert AFTER INSERT ON jobs BEGIN
    UPDATE facts SET value = CAST(value AS INTEGER) + 1 WHERE name = 'revision';
    UPDATE jobs SET revision = (SELECT CAST(value AS INTEGER) FROM facts WHERE name = 'revision')
        WHERE number = NEW.number;
END;
CREATE TRIGGER count_update AFTER UPDATE ON jobs WHEN NEW.revision = OLD.revision BEGIN
    UPDATE facts SET value = CAST(value AS INTEGER) + 1 WHERE name = 'revision';
    UPDATE jobs SET revision = (SELECT CAST(value AS INTEGER) FROM facts WHERE name = 'revision')
        WHERE number = NEW.number;
END;
"""
MIGRATIONS: tuple[str, ...] = (_FIRST,)
"""Scripts in their order; what was released is never edited, only followed by another."""


class ProjectVersionError(IcelensError):
    """A project that a newer icelens wrote."""


def migrate(connection: sqlite3.Connection, name: str) -> None:
    """Bring a database to today's tables, each step whole or not at all.

    Args:
        connection: In autocommit mode.
        name: Of the file, for messages.

    Raises:
        ProjectVersionError: If a newer icelens made it.
    """
    version = _version(connection)
    if version > len(MIGRATIONS):
        raise ProjectVersionError(
            f"{name}: has version {version}, this icelens knows {len(MIGRATIONS)}; update icelens"
        )
    while version < len(MIGRATIONS):
        script = f"BEGIN IMMEDIATE;\n{MIGRATIONS[version]}\nPRAGMA user_version = {version + 1};\n"
        try:
            connection.executescript(script + "COMMIT;")
        except sqlite3.OperationalError:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            if _version(connection) == version:
                raise
            # otherwise another process was faster
        version = _version(connection)


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
