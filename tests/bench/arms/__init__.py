"""Django projects that serve the same page to a signed-in person, each with its own way to know who that is.

Each module has `configure(database_url)`, which sets Django up, and `cookie()`, which signs somebody in and returns the
Cookie header of their browser. Those that sign in at a user pool have `use_pool(environment)` and LOGIN as well.
`python -m tests.bench.arms NAME DATABASE_URL` runs one in a process of its own, to serve the page;
`python -m tests.bench.arms.sign_in` to sign people in.

All keep their database connections, and log from WARNING on; this project's record of each request is not written.
"""
