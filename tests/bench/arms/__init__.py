"""Django projects that serve the same page to a signed-in person, each with its own way to know who that is.

Each module has `configure(database_url)`, which sets Django up, and `cookie()`, which signs somebody in and returns the
Cookie header of their browser. `python -m tests.bench.arms NAME DATABASE_URL` runs one in a process of its own.
"""
