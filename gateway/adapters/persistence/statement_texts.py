"""The longer SQL about statements: for a whole slice of lines at once, and for operators."""

from __future__ import annotations

#: How many lines, by their identity, earlier files had.
KNOWN = """SELECT count(*) FROM unnest(%(numbers)s::text[], %(kinds)s::text[], %(ins)s::boolean[],
  %(units)s::text[]::numeric[], %(done)s::boolean[], %(places)s::int[])
  AS n (number, kind, comes_in, units, completed, place)
 JOIN gateway.statement_line l ON l.float_id = %(float)s AND l.receipt_number = n.number AND l.kind = n.kind
  AND l.comes_in = n.comes_in AND l.amount_units = n.units AND l.completed = n.completed AND l.place = n.place"""
#: The first file that has a line keeps it.
ADD = """INSERT INTO gateway.statement_line (id, business_id, livemode, statement_id, float_id, "row", kind,
  receipt_number, happened_at, currency, amount_units, comes_in, completed, place, reference, original_receipt,
  payer_hint, balance_units, detail)
 SELECT gateway.new_id(), %(business)s, %(livemode)s, %(statement)s, %(float)s, n.line, n.kind, n.number, n.at,
  n.currency, n.units, n.comes_in, n.completed, n.place, n.typed, n.original, n.hint, n.balance, n.detail
 FROM unnest(%(numbers)s::text[], %(kinds)s::text[], %(ins)s::boolean[], %(units)s::text[]::numeric[],
  %(done)s::boolean[], %(places)s::int[], %(rows)s::int[], %(ats)s::timestamptz[], %(currencies)s::text[],
  %(typed)s::text[], %(originals)s::text[], %(hints)s::text[], %(balances)s::text[]::numeric[], %(details)s::text[])
  AS n (number, kind, comes_in, units, completed, place, line, at, currency, typed, original, hint, balance, detail)
 ON CONFLICT ON CONSTRAINT statement_line_once DO NOTHING"""

SUMMARY = """SELECT kind, became, count(*), COALESCE(sum(amount_units) FILTER (WHERE comes_in), 0),
  COALESCE(sum(amount_units) FILTER (WHERE NOT comes_in), 0), max(currency)
 FROM gateway.statement_line_now WHERE statement_id = %s GROUP BY kind, became ORDER BY kind, became"""
LINES = """SELECT "row", kind, became, receipt_number, happened_at, amount_units, currency, comes_in, reference,
  original_receipt, payer_hint, detail, matched_kind, matched_id
 FROM gateway.statement_line_now WHERE statement_id = %(statement)s AND (%(kind)s::text IS NULL OR kind = %(kind)s)
  AND (%(any)s OR became = ANY (%(outcomes)s::text[])) ORDER BY "row" LIMIT %(limit)s"""
#: Sums that the statement told and that are due now; those that wait for their time may wait for ever.
ON_THEIR_WAY = """SELECT EXISTS (SELECT FROM gateway.statement_line l JOIN gateway.outbox o
  ON o.kind = 'money.settle' AND o.subject_id = l.matched_id AND o.done_at IS NULL AND o.due_at <= %s
 WHERE l.statement_id = %s AND l.matched_kind = 'external_record')"""
#: As gateway.find_money_out, among moves of our own money: a line on the float that it left, or that it arrived on.
OWN = """WITH moved AS (SELECT o.* FROM gateway.own_transfer o WHERE o.livemode = %(livemode)s AND o.sends > 0
  AND %(float)s = CASE WHEN %(comes_in)s THEN o.target_id ELSE o.source_id END),
 named AS (
  SELECT 1 AS rank, o.id FROM moved o WHERE o.receipt_number = %(number)s
  UNION SELECT 2, o.id FROM gateway.report r JOIN moved o ON o.id = r.subject_id
   WHERE r.receipt_number = %(number)s AND r.subject_kind = 'own_transfer'
  UNION SELECT 3, o.id FROM moved o WHERE o.reference = %(reference)s)
 SELECT (array_agg(n.id))[1] FROM named n WHERE n.rank = (SELECT min(m.rank) FROM named m) HAVING count(*) = 1"""
