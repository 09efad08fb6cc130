"""The proof that nobody can go around the ledger's functions: triggers, rights and row policies are in place."""

from __future__ import annotations

#: As in `ledger_checks`: name → (what is looked at, a query that counts it, a query for what is wrong).
RIGHTS: dict[str, tuple[str, str, str]] = {
    "rows can't change: triggers in place": (
        "triggers",
        "SELECT count(*) FROM pg_catalog.pg_trigger WHERE tgfoid = 'ledger.refuse'::regproc",
        """
SELECT format('%s on %s', w.name, w.rel) AS what
FROM (VALUES ('journal_frozen', 'ledger.journal', 27), ('journal_keep', 'ledger.journal', 34),
             ('leg_frozen', 'ledger.leg', 27), ('leg_keep', 'ledger.leg', 34),
             ('account_frozen', 'ledger.account', 19), ('account_keep', 'ledger.account', 11)) AS w (name, rel, type)
WHERE NOT EXISTS (
  SELECT FROM pg_catalog.pg_trigger t
  WHERE t.tgname = w.name AND t.tgrelid = w.rel::regclass AND t.tgenabled = 'A' AND t.tgtype = w.type
    AND t.tgfoid = 'ledger.refuse'::regproc)
""",
    ),
    "only the functions write": (
        "tables, views and functions",
        """
SELECT (SELECT count(*) FROM pg_catalog.pg_class
        WHERE relnamespace = 'ledger'::regnamespace AND relkind IN ('r', 'v', 'S'))
     + (SELECT count(*) FROM pg_catalog.pg_proc WHERE pronamespace = 'ledger'::regnamespace)
""",
        """
WITH login AS (
  SELECT w.name, r.*
  FROM (VALUES ('gateway_app'), ('gateway_worker'), ('gateway_operator'), ('gateway_read')) AS w (name)
  LEFT JOIN pg_catalog.pg_roles r ON r.rolname = w.name
)
SELECT format('the role %s is missing', name) AS what FROM login WHERE rolname IS NULL
UNION ALL
SELECT format('%s can act as more than itself', name) FROM login
WHERE rolsuper OR rolbypassrls OR rolcreaterole OR pg_has_role(oid, 'ledger_owner', 'MEMBER')
UNION ALL
SELECT format('%s may create in the schema', name) FROM login
WHERE rolname IS NOT NULL AND has_schema_privilege(oid, 'ledger', 'CREATE')
UNION ALL
SELECT format('%s may %s %s', l.name, p.word, c.relname)
FROM login l, pg_catalog.pg_class c,
     (VALUES ('INSERT'), ('UPDATE'), ('DELETE'), ('TRUNCATE'), ('TRIGGER'), ('REFERENCES')) AS p (word)
WHERE l.rolname IS NOT NULL AND c.relnamespace = 'ledger'::regnamespace AND c.relkind IN ('r', 'v')
  AND has_table_privilege(l.oid, c.oid, p.word)
UNION ALL
SELECT format('%s belongs to %s', c.relname, pg_get_userbyid(c.relowner)) FROM pg_catalog.pg_class c
WHERE c.relnamespace = 'ledger'::regnamespace AND c.relkind IN ('r', 'v', 'S')
  AND pg_get_userbyid(c.relowner) <> 'ledger_owner'
UNION ALL
SELECT format('%s runs as another than its owner should be, or with an open search path', p.proname)
FROM pg_catalog.pg_proc p
WHERE p.pronamespace = 'ledger'::regnamespace AND (pg_get_userbyid(p.proowner) <> 'ledger_owner'
  OR NOT 'search_path=pg_catalog, pg_temp' = ANY (COALESCE(p.proconfig, '{}')))
""",
    ),
    "row policies in place": (
        "policies",
        "SELECT count(*) FROM pg_catalog.pg_policy p JOIN pg_catalog.pg_class c ON c.oid = p.polrelid"
        " WHERE c.relnamespace = 'ledger'::regnamespace",
        """
SELECT format('%s has no row policies', c.relname) AS what FROM pg_catalog.pg_class c
WHERE c.relnamespace = 'ledger'::regnamespace AND NOT c.relrowsecurity
  AND c.relname IN ('account', 'balance', 'balance_delta', 'journal', 'leg')
UNION ALL
SELECT format('the view %s reads with the rights of its owner', c.relname) FROM pg_catalog.pg_class c
WHERE c.relnamespace = 'ledger'::regnamespace AND c.relkind = 'v'
  AND NOT 'security_invoker=true' = ANY (COALESCE(c.reloptions, '{}'))
UNION ALL
SELECT format('%s shows more than its own to web, workers or readers', p.polrelid::regclass)
FROM pg_catalog.pg_policy p JOIN pg_catalog.pg_class c ON c.oid = p.polrelid
WHERE c.relnamespace = 'ledger'::regnamespace AND p.polname <> 'own' AND p.polroles && ARRAY(
  SELECT oid FROM pg_catalog.pg_roles WHERE rolname IN ('gateway_app', 'gateway_worker', 'gateway_read')
  UNION ALL SELECT 0::oid)
""",
    ),
}
