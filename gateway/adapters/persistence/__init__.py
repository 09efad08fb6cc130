"""PostgreSQL: tables, the unit of work, one repository per noun."""
