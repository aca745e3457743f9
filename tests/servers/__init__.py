"""Real parts for tests that a test client cannot stand in for: processes, databases, and browsers over HTTP.

Each module is small:

    postgres.py     PostgresServer: a PostgreSQL of its own
    databases.py    SqliteFiles, PostgresDatabases: fresh, migrated databases; `orm_alias` lets a test read them
    app.py          AppServer: the app under gunicorn, with worker processes that can be killed
    browser.py      HttpBrowser: a person with cookies; `at_once` lets many of them act at the same moment
    settings.py     the project's settings as these processes have them
"""

from tests.servers.app import AppServer
from tests.servers.browser import HttpBrowser, at_once
from tests.servers.databases import Databases, PostgresDatabases, SqliteFiles, orm_alias
from tests.servers.postgres import PostgresServer

__all__ = [
    "AppServer",
    "Databases",
    "HttpBrowser",
    "PostgresDatabases",
    "PostgresServer",
    "SqliteFiles",
    "at_once",
    "orm_alias",
]
