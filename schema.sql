-- The whole schema of tag-history. `tag-history migrate` (service/eventstore/schema.py) applies it to an empty
-- database in one transaction and never twice; a change of it is a new version with its own migration.
--
--   part 1  the log      written by service/eventstore/appender.py alone
--   part 2  the views    written by the daemons of projections/ alone, rebuilt from the log at any time
--   part 3  secrets      written by service/secretstore/store.py alone, in neither of the others

CREATE TABLE schema_version (
    version    integer     PRIMARY KEY,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

INSERT INTO schema_version (version) VALUES (1);


-- ---------------------------------------------------------------------------------------------------------------------
-- Part 1. The log
-- ---------------------------------------------------------------------------------------------------------------------

-- The one row that every append locks, so that positions are handed out in commit order
-- (service/eventstore/position.py). The head itself is the newest event's position: a row that every append rewrote
-- would leave a dead version per append behind for as long as anybody, such as a backup, holds a snapshot.
CREATE TABLE log_head (
    log_id     uuid        NOT NULL DEFAULT gen_random_uuid(),  -- tells this log from any other of the same name
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE UNIQUE INDEX log_head_is_one_row ON log_head ((true));

INSERT INTO log_head DEFAULT VALUES;

CREATE TABLE events (
    position       bigint      PRIMARY KEY CHECK (position > 0),
    command_id     uuid        NOT NULL,
    command_first  bigint      NOT NULL,                        -- the command's events are command_first..command_last
    command_last   bigint      NOT NULL,
    kind           text        COLLATE "C" NOT NULL,            -- of the aggregate: ImageStream, Image, Namespace
    namespace      text        COLLATE "C" NOT NULL,            -- '' for cluster scoped
    name           text        COLLATE "C" NOT NULL,
    tag            text        COLLATE "C",                     -- null: about the aggregate as a whole
    type           text        COLLATE "C" NOT NULL,
    schema_version smallint    NOT NULL,
    recorded_at    timestamptz NOT NULL,                        -- never decreases with position
    metadata       json        NOT NULL,                        -- who, whence, why; json keeps the exact text
    data           json        NOT NULL,
    CHECK (position BETWEEN command_first AND command_last)
);

CREATE UNIQUE INDEX events_by_command ON events (command_id) WHERE position = command_first;

CREATE INDEX events_by_aggregate ON events (kind, namespace, name, position);

-- Large content by its digest, stored once however many events name it.
CREATE TABLE payloads (
    digest  text  COLLATE "C" PRIMARY KEY,
    content bytea NOT NULL
);

-- Nothing in the log is ever changed or removed: owners lose the privileges, superusers meet the triggers.
CREATE FUNCTION refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the log is append-only: % of % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END
$$;

CREATE TRIGGER events_are_final BEFORE UPDATE OR DELETE OR TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER payloads_are_final BEFORE UPDATE OR DELETE OR TRUNCATE ON payloads
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE events ENABLE ALWAYS TRIGGER events_are_final;
ALTER TABLE payloads ENABLE ALWAYS TRIGGER payloads_are_final;

REVOKE UPDATE, DELETE, TRUNCATE ON events, payloads FROM PUBLIC, CURRENT_USER;

-- Append a batch of commands, each of them whole or not at all. Called by service/eventstore/appender.py, and by
-- nobody else; one call is one transaction. It must run READ COMMITTED, where every statement of a function sees what
-- was committed before that statement began: so the second sees all that earlier holders of the lock appended.
--
-- Arrays of one prefix run in parallel, one element per command, guard, event or payload; guard_commands,
-- event_commands and payload_commands hold the number (1, 2, …) of the command they belong to, ascending. A guard
-- forbids events of its aggregate after decided_at: any of them if guard_tag is null, else those about that tag and
-- those about the aggregate as a whole. Commands of one batch must not touch what others of the batch guard.
--
-- Returns one row per command, in order. 'appended': its events are at first..last. 'duplicate': the command was
-- appended before, at first..last. 'conflict': a guard forbids the event at conflict_position.
CREATE FUNCTION append_commands(
    command_ids uuid[], command_decided_at bigint[], command_metadata json[], command_event_counts integer[],
    guard_commands integer[], guard_kinds text[], guard_namespaces text[], guard_names text[], guard_tags text[],
    event_commands integer[], event_kinds text[], event_namespaces text[], event_names text[], event_tags text[],
    event_types text[], event_schema_versions smallint[], event_data json[],
    payload_commands integer[], payload_digests text[], payload_contents bytea[]
) RETURNS TABLE (
    outcome text, first_position bigint, last_position bigint, at timestamptz, conflict_position bigint
)
LANGUAGE plpgsql
-- Every look at events is by an index, whatever the statistics say of a log that has just begun, or just grown.
SET enable_seqscan = off
AS $$
DECLARE
    head bigint;
    now_recorded timestamptz;
BEGIN
    PERFORM FROM log_head FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'log_head has lost its row: nothing orders the appends' USING ERRCODE = 'data_corrupted';
    END IF;

    SELECT e.position, e.recorded_at INTO head, now_recorded FROM events AS e ORDER BY e.position DESC LIMIT 1;
    head := coalesce(head, 0);
    now_recorded := greatest(clock_timestamp(), now_recorded);  -- a clock that is set back must not reorder history

    RETURN QUERY
    WITH command AS MATERIALIZED (
        SELECT c.*
        FROM unnest(command_ids, command_decided_at, command_metadata, command_event_counts)
            WITH ORDINALITY AS c(id, decided_at, metadata, event_count, number)
    ), stored AS MATERIALIZED (
        SELECT c.number, e.command_first, e.command_last, e.recorded_at
        FROM command AS c
        CROSS JOIN LATERAL (
            SELECT * FROM events AS e WHERE e.command_id = c.id AND e.position = e.command_first LIMIT 1
        ) AS e
    ), conflicting AS MATERIALIZED (
        SELECT c.number, min(e.position) AS position
        FROM unnest(guard_commands, guard_kinds, guard_namespaces, guard_names, guard_tags)
            AS g(number, kind, namespace, name, tag)
        JOIN command AS c ON c.number = g.number
        CROSS JOIN LATERAL (
            -- Two row comparisons are one range of events_by_aggregate, and nothing that the primary key could serve:
            -- the newest events of one aggregate, however long the log and however old decided_at.
            SELECT e.position
            FROM events AS e
            WHERE (e.kind, e.namespace, e.name, e.position) > (g.kind, g.namespace, g.name, c.decided_at)
              AND (e.kind, e.namespace, e.name, e.position) <= (g.kind, g.namespace, g.name, 9223372036854775807)
              AND (g.tag IS NULL OR e.tag IS NULL OR e.tag = g.tag)
            LIMIT 1
        ) AS e
        GROUP BY c.number
    ), verdict AS MATERIALIZED (
        SELECT v.*, head + sum(v.event_count) FILTER (WHERE v.is_new) OVER (ORDER BY v.number)::bigint AS last
        FROM (
            SELECT c.*, s.command_first, s.command_last, s.recorded_at, x.position AS conflict,
                   s.number IS NULL AND x.number IS NULL AS is_new
            FROM command AS c LEFT JOIN stored AS s USING (number) LEFT JOIN conflicting AS x USING (number)
        ) AS v
    ), appended AS (
        INSERT INTO events (
            position, command_id, command_first, command_last,
            kind, namespace, name, tag, type, schema_version, recorded_at, metadata, data
        )
        SELECT head + row_number() OVER (ORDER BY e.number), v.id, v.last - v.event_count + 1, v.last,
               e.kind, e.namespace, e.name, e.tag, e.type, e.schema_version, now_recorded, v.metadata, e.data
        FROM unnest(event_commands, event_kinds, event_namespaces, event_names, event_tags,
                    event_types, event_schema_versions, event_data)
            WITH ORDINALITY AS e(command, kind, namespace, name, tag, type, schema_version, data, number)
        JOIN verdict AS v ON v.number = e.command AND v.is_new
        ORDER BY e.number
    ), kept AS (
        INSERT INTO payloads (digest, content)
        SELECT p.digest, p.content
        FROM unnest(payload_commands, payload_digests, payload_contents) AS p(command, digest, content)
        JOIN verdict AS v ON v.number = p.command AND v.is_new
        ON CONFLICT DO NOTHING
    ), announced AS MATERIALIZED (
        SELECT pg_notify('taghistory_log', max(v.last)::text) FROM verdict AS v WHERE v.is_new HAVING count(*) > 0
    )
    SELECT CASE WHEN v.is_new THEN 'appended' WHEN v.command_first IS NOT NULL THEN 'duplicate' ELSE 'conflict' END,
           CASE WHEN v.is_new THEN v.last - v.event_count + 1 ELSE v.command_first END,
           CASE WHEN v.is_new THEN v.last ELSE v.command_last END,
           CASE WHEN v.is_new THEN now_recorded ELSE v.recorded_at END,
           v.conflict
    FROM verdict AS v LEFT JOIN announced ON true
    ORDER BY v.number;
END
$$;


-- ---------------------------------------------------------------------------------------------------------------------
-- Part 2. The views
-- ---------------------------------------------------------------------------------------------------------------------

-- A view row was true from valid_from up to, but not including, valid_to; null means that it still is. valid_to is
-- written once, nothing else is ever changed, and rows are never removed: one table serves the present and every past.
-- Every position is that of an event, so a row is never half an event. `tag-history rebuild` makes the tables of one
-- projection anew, beside these, from the text between its two marks below (projections/tables.py).

-- Where each projection stands. A runner moves its row in the transaction that writes the view rows.
CREATE TABLE projections (
    name       text        COLLATE "C" PRIMARY KEY,
    version    integer     NOT NULL,                            -- of what the rows mean; other than the code's: rebuild
    position   bigint      NOT NULL DEFAULT 0,                  -- everything up to here is in the views, nothing after
    generation integer     NOT NULL DEFAULT 0,                  -- one more after each rebuild
    stopped_by text,                                            -- why it cannot go on; null: it can
    moved_at   timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- projection imagestreams: begin

-- Which image streams there ever were, so that a list need not walk over all versions of each.
CREATE TABLE imagestream_names (
    namespace text COLLATE "C" NOT NULL,
    name      text COLLATE "C" NOT NULL,
    PRIMARY KEY (namespace, name)
);

-- An image stream without its tags: a row per version.
CREATE TABLE imagestreams (
    namespace  text   COLLATE "C" NOT NULL,
    name       text   COLLATE "C" NOT NULL,
    header     json   NOT NULL,                                 -- metadata, lookup policy, repository
    valid_from bigint NOT NULL,
    valid_to   bigint CHECK (valid_to > valid_from),
    PRIMARY KEY (namespace, name, valid_from)
);

-- A row per command that changed an image stream as served, tags included: its resourceVersion is the newest position.
CREATE TABLE imagestream_revisions (
    namespace text   COLLATE "C" NOT NULL,
    name      text   COLLATE "C" NOT NULL,
    position  bigint NOT NULL,                                  -- the command's last
    PRIMARY KEY (namespace, name, position)
);

-- Which tags there ever were.
CREATE TABLE imagetag_names (
    namespace text COLLATE "C" NOT NULL,
    name      text COLLATE "C" NOT NULL,
    PRIMARY KEY (namespace, name)
);

-- A tag without its history: a row per version. Its resourceVersion is valid_from.
CREATE TABLE imagetags (
    namespace    text     COLLATE "C" NOT NULL,
    name         text     COLLATE "C" NOT NULL,                 -- STREAM:TAG, the name of the ImageTag
    spec         json,
    conditions   json,                                          -- null: none
    listed       boolean  NOT NULL,                             -- in the stream's status though nothing is known of it
    header_from  bigint   NOT NULL,                             -- valid_from of the imagestreams row that it shows
    head_from    bigint,                                        -- its newest imagetag_items row; null: no history
    head_ordinal integer,
    valid_from   bigint   NOT NULL,
    valid_to     bigint   CHECK (valid_to > valid_from),
    PRIMARY KEY (namespace, name, valid_from)
) WITH (fillfactor = 85);                                       -- room to write valid_to beside the old row

-- The entries of the histories, oldest first in the order of the key. An entry that was overwritten or pruned, or
-- whose tag was deleted, has a valid_to.
CREATE TABLE imagetag_items (
    namespace  text    COLLATE "C" NOT NULL,
    name       text    COLLATE "C" NOT NULL,                    -- as in imagetags
    valid_from bigint  NOT NULL,
    ordinal    integer NOT NULL,                                -- among the entries of one event, oldest first
    created    text    NOT NULL,
    reference  text    NOT NULL,
    image      text    COLLATE "C" NOT NULL,
    generation bigint  NOT NULL,
    valid_to   bigint  CHECK (valid_to > valid_from),
    PRIMARY KEY (namespace, name, valid_from, ordinal)
);

-- From a digest to every tag that ever pointed at it.
CREATE INDEX imagetag_items_by_image ON imagetag_items USING hash (image);

-- An image stream tag is a tag whose newest entry has an image, without the rest of its history.
CREATE VIEW imagestreamtags AS
SELECT t.namespace, t.name, t.spec, t.conditions, t.header_from,
       i.created, i.reference, i.image, i.generation, t.valid_from, t.valid_to
FROM imagetags AS t
JOIN imagetag_items AS i
  ON i.namespace = t.namespace AND i.name = t.name AND i.valid_from = t.head_from AND i.ordinal = t.head_ordinal
WHERE i.image <> '';

-- projection imagestreams: end

-- projection images: begin

-- A row per version of an image; they are few. Manifest and config are in payloads, under these digests ('': none).
CREATE TABLE images (
    name       text   COLLATE "C" NOT NULL,
    document   json   NOT NULL,
    manifest   text   COLLATE "C" NOT NULL,
    config     text   COLLATE "C" NOT NULL,
    valid_from bigint NOT NULL,
    valid_to   bigint CHECK (valid_to > valid_from),
    PRIMARY KEY (name, valid_from)
);

-- projection images: end

-- projection namespaces: begin

-- A row per version of a namespace; its resourceVersion is valid_from.
CREATE TABLE namespaces (
    name       text   COLLATE "C" NOT NULL,
    metadata   json   NOT NULL,
    valid_from bigint NOT NULL,
    valid_to   bigint CHECK (valid_to > valid_from),
    PRIMARY KEY (name, valid_from)
);

-- projection namespaces: end


-- ---------------------------------------------------------------------------------------------------------------------
-- Part 3. Secrets
-- ---------------------------------------------------------------------------------------------------------------------

-- The newest version that a secret was given. Every change of a secret rewrites this one row first, so versions are
-- handed out in commit order.
CREATE TABLE secret_versions (
    newest bigint NOT NULL
);

CREATE UNIQUE INDEX secret_versions_is_one_row ON secret_versions ((true));

INSERT INTO secret_versions (newest) VALUES (1);

-- A secret as it is now; it has no past. What is not needed to find it is sealed.
CREATE TABLE secrets (
    namespace text   COLLATE "C" NOT NULL,
    name      text   COLLATE "C" NOT NULL,
    uid       text   COLLATE "C" NOT NULL,
    version   bigint NOT NULL,                                  -- its resourceVersion
    key_id    text   COLLATE "C" NOT NULL,                      -- of the key it is sealed with
    sealed    bytea  NOT NULL,                                  -- AES-256-GCM, bound to namespace, name and uid
    PRIMARY KEY (namespace, name)
);
