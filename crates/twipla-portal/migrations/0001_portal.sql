-- One schema for SQLite and Postgres. Times are milliseconds since 1970, in UTC.

CREATE TABLE customers (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    email      TEXT NOT NULL UNIQUE
);

CREATE TABLE sessions (
    -- The hash of what the cookie has: whoever reads this table can sign in as nobody.
    id_hash     TEXT PRIMARY KEY,
    -- Nobody, until somebody signed in.
    customer_id TEXT REFERENCES customers (id),
    csrf        TEXT NOT NULL,
    expires_at  BIGINT NOT NULL
);

CREATE TABLE sites (
    id                 TEXT PRIMARY KEY,
    customer_id        TEXT NOT NULL REFERENCES customers (id),
    domain             TEXT NOT NULL,
    -- 'new' and 'refused' are the portal's own, everything else is what TWIPLA says.
    status             TEXT NOT NULL,
    -- What TWIPLA showed last.
    package_id         TEXT,
    package_name       TEXT,
    planned_package_id TEXT,
    in_trial           BIGINT NOT NULL DEFAULT 0,
    expires_at         BIGINT,
    snippet            TEXT,
    updated_at         BIGINT NOT NULL
);

CREATE INDEX sites_of_customer ON sites (customer_id);

CREATE TABLE orders (
    id           TEXT PRIMARY KEY,
    site_id      TEXT NOT NULL REFERENCES sites (id),
    package_id   TEXT NOT NULL,
    package_name TEXT NOT NULL,
    -- In hundredths.
    amount       BIGINT NOT NULL,
    currency     TEXT NOT NULL,
    -- 'paid', then 'fulfilled' or 'returned'.
    state        TEXT NOT NULL,
    created_at   BIGINT NOT NULL
);

CREATE INDEX orders_of_site ON orders (site_id);

CREATE TABLE contributors (
    site_id     TEXT NOT NULL REFERENCES sites (id),
    customer_id TEXT NOT NULL REFERENCES customers (id),
    role        TEXT NOT NULL,
    -- 'invited', then 'active' or 'refused'.
    state       TEXT NOT NULL,
    PRIMARY KEY (site_id, customer_id)
);

CREATE TABLE outbox (
    -- A uuid of version 7: later entries sort behind.
    id         TEXT PRIMARY KEY,
    -- What is changed: a site, or a site and a contributor.
    subject    TEXT NOT NULL,
    -- JSON, see `Change`.
    change     TEXT NOT NULL,
    -- 'open', then 'done' or 'refused'.
    state      TEXT NOT NULL,
    -- How often it was taken. Whoever took it last may say how it ended.
    attempts   BIGINT NOT NULL DEFAULT 0,
    -- How often the server failed at it. It is refused when it fails too often.
    failures   BIGINT NOT NULL DEFAULT 0,
    -- Nobody takes it before: somebody has it, or waits for better times.
    not_before BIGINT NOT NULL,
    -- 1 where TWIPLA may or may not have carried it out.
    uncertain  BIGINT NOT NULL DEFAULT 0,
    -- Why it is not done yet, or was refused.
    note       TEXT,
    created_at BIGINT NOT NULL
);

-- One change of a thing at a time: there is no order to get wrong.
CREATE UNIQUE INDEX outbox_one_open ON outbox (subject) WHERE state = 'open';
CREATE INDEX outbox_due ON outbox (not_before) WHERE state = 'open';
